"""Two-phase commit on a log in memory, with participants that fail as they are told, on both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.two_phase_part import Part

from seawall.clock import ManualClock
from seawall.distributed.transactions import TransactionLog, kind_of
from seawall.distributed.transactions._orders import give
from seawall.distributed.transactions.two_phase import (
    Outcome,
    Participant,
    TwoPhaseCommit,
    Vote,
)
from seawall.distributed.transactions.two_phase._names import Gid, gid_of
from seawall.engines import Engine, open_engine
from seawall.engines.operation import driver_of
from seawall.errors import (
    ConfigError,
    TransactionAborted,
    TransactionError,
    TransactionInDoubt,
    Unavailable,
    UnknownOutcome,
)


@pytest.fixture
def clock() -> ManualClock:
    """What leases go by."""
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    """Where logs are."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


class Face:
    """A coordinator as threads or as tasks use it."""

    def __init__(self, engine: Engine, *parts: Any, runner: asyncio.Runner | None, name: str = "shop") -> None:
        self.log = TransactionLog(engine)
        self.coordinator = TwoPhaseCommit(self.log, parts, name=name)
        self.parts = parts
        self.runner = runner

    def run(self, error: Exception | None = None) -> Any:
        """One transaction of all; its result."""
        tx = self.coordinator.transaction()
        if self.runner is None:
            with tx:
                for part in self.parts:
                    tx.enlist(part)
                if error:
                    raise error
        else:
            self.runner.run(self._run(tx, error))
        return tx.result

    async def _run(self, tx: Any, error: Exception | None) -> None:
        async with tx:
            for part in self.parts:
                await tx.enlist_async(part)
            if error:
                raise error

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.coordinator, name if self.runner is None else f"{name}_async")
        return method if self.runner is None else lambda *args: self.runner.run(method(*args))


@pytest.fixture(params=["threads", "tasks"])
def face(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Callable[..., Face]]:
    """Makes coordinators that are used by threads, then by tasks."""
    if request.param == "threads":
        yield lambda *parts, **options: Face(engine, *parts, runner=None, **options)
        return
    with asyncio.Runner() as runner:
        yield lambda *parts, **options: Face(engine, *parts, runner=runner, **options)


def test_all_are_asked_and_then_told_to_commit(face):
    """Each is asked once and told once, and nothing is left."""
    a, b = Part("a"), Part("b")
    shop = face(a, b)
    result = shop.run()
    assert (result.outcome, result.untold) == (Outcome.COMMITTED, ())
    assert (a.told, b.told) == (["prepare", "commit"], ["prepare", "commit"])
    assert shop.in_doubt() == ()


def test_one_no_undoes_all(face):
    """Who voted no need not be told, the others are; the caller is told who it was."""
    a, b, c = Part("a"), Part("b", Vote.NO), Part("c", Vote.READ_ONLY)
    with pytest.raises(TransactionAborted) as caught:
        face(a, b, c).run()
    assert str(caught.value) == f"transaction {caught.value.id} was aborted: b voted no"
    assert (a.told, b.told, c.told) == (["prepare", "abort"], ["prepare"], ["prepare"])


def test_who_raises_when_asked_is_told_to_abort_and_is_the_cause(face):
    """Its vote is not known, so it must hear of the end."""
    error = ValueError("balance below 0")
    a, b = Part("a"), Part("b", prepare=error)
    with pytest.raises(TransactionAborted, match=r"b voted no \(balance below 0\)$") as caught:
        face(a, b).run()
    assert caught.value.__cause__ is error
    assert (a.told, b.told) == (["prepare", "abort"], ["prepare", "abort"])


def test_a_vote_must_be_a_vote(face):
    """Anything else is a no."""
    with pytest.raises(TransactionAborted, match="prepare must return a Vote, got True"):
        face(Part("a", True)).run()


def test_an_error_in_the_block_undoes_all_and_goes_on(face):
    """Nobody is asked to prepare, and the log never hears of it."""
    a, b = Part("a"), Part("b", abort=OSError("gone"))
    shop = face(a, b)
    with pytest.raises(KeyError):
        shop.run(KeyError("block"))
    assert (a.told, b.told) == (["abort"], ["abort"])
    assert shop.log.keys("2pc") == shop.log.keys("2pc", finished=True) == ()


def test_readers_cost_no_record(face):
    """Who has only read is done with its vote; with nothing but readers there is nothing to decide."""
    a, b = Part("a", Vote.READ_ONLY), Part("b", Vote.READ_ONLY)
    shop = face(a, b)
    assert shop.run().outcome is Outcome.COMMITTED
    assert (a.told, b.told) == (["prepare"], ["prepare"])
    (key,) = shop.log.keys("2pc", finished=True)
    assert [entry.what for entry in shop.log.load(*key).entries] == ["begun", "ended"]


def test_who_cannot_be_reached_is_told_later(face):
    """The commit stands; in_doubt lists who does not know, and recovery tells it."""
    a, b = Part("a"), Part("b", commit=OSError("gone"))
    shop = face(a, b)
    result = shop.run()
    assert (result.outcome, result.untold) == (Outcome.COMMITTED, ("b",))
    (doubt,) = shop.in_doubt()
    assert (doubt.id, doubt.outcome, doubt.why) == (result.id, Outcome.COMMITTED, "committed, still to be told")
    (left,) = shop.recover().in_doubt
    assert (left.participants, left.why) == (("b",), "committed, still to be told")
    b.fails.clear()
    assert shop.recover().committed == (result.id,)
    assert (shop.in_doubt(), shop.recover().committed) == ((), ())
    assert b.told == ["prepare", "commit", "commit", "commit"]


def test_recovery_aborts_what_has_no_record_of_a_commit(face, clock):
    """A coordinator that died before its decision had none."""
    a, b = Part("a"), Part("b")
    shop = face(a, b)
    shop.run()
    mine = shop.in_doubt()
    id = f"shop.{shop.coordinator._log_id}.{'0' * 32}"
    shop.log.begin("2pc", id, shop.log.entry("begun", participants=["a", "b"]))
    (doubt,) = (*shop.recover().in_doubt, *mine)
    assert doubt.why == "in the hands of a coordinator"
    assert shop.outcome(id) is Outcome.IN_DOUBT
    clock.advance(31)
    assert shop.outcome(id) is Outcome.ABORTED
    assert shop.recover().aborted == (id,)
    assert (a.told[-1], b.told[-1]) == ("abort", "abort")


def test_a_coordinator_that_slept_too_long_cannot_commit(face, clock, engine):
    """Another has taken its transaction over and undone it; its own record is refused, so it undoes it, too."""
    a, b = Part("a"), Part("b")
    shop = face(a, b)
    other = TwoPhaseCommit(TransactionLog(engine), [a, b], name="shop")

    def sleep() -> None:
        b.meanwhile = lambda: None
        clock.advance(31)
        assert len(other.recover().aborted) == 1

    b.meanwhile = sleep
    with pytest.raises(TransactionAborted, match=r"the log did not take the commit \(the claim of "):
        shop.run()
    assert "commit" not in a.told + b.told


class Losing(TransactionLog):
    """Loses the answer to the commit, which `kept` says whether it was written; `away` then keeps the log away."""

    kept = True
    away = False

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        append = self.journal._do_append

        def losing(stream: str, *records: bytes, **options: Any) -> Any:
            if b"committed" not in records[0]:
                return (yield from append(stream, *records, **options))
            if self.kept:
                yield from append(stream, *records, **options)
            raise UnknownOutcome("the answer was lost")

        self.journal._do_append = losing

    def _do_own(self, kind: str, id: str) -> Any:
        if self.away:
            raise Unavailable("the log is away")
        return (yield from super()._do_own(kind, id))


@pytest.mark.parametrize("kept", [True, False])
def test_a_lost_answer_of_the_log_is_looked_up(engine, kept):
    """Written: committed. Not written: aborted, and the record can not come any more."""
    a = Part("a")
    log = Losing(engine)
    log.kept = kept
    tx = TwoPhaseCommit(log, [a]).transaction()
    if kept:
        with tx:
            tx.enlist(a)
    else:
        with pytest.raises(TransactionAborted), tx:
            tx.enlist(a)
    assert a.told == ["prepare", "commit" if kept else "abort"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_log_that_stays_away_leaves_the_transaction_in_doubt(engine, kept):
    """Nobody is told anything; recovery finds out."""
    a = Part("a")
    log = Losing(engine)
    log.kept, log.away = kept, True
    coordinator = TwoPhaseCommit(log, [a])
    tx = coordinator.transaction()
    with pytest.raises(TransactionInDoubt) as caught, tx:
        tx.enlist(a)
    assert str(caught.value) == (
        f"transaction {tx.id} is in doubt: the log did not say whether the commit is in it; do not repeat its work, "
        "recover() finds out"
    )
    assert (tx.result.outcome, a.told) == (Outcome.IN_DOUBT, ["prepare"])
    log.away = False
    found = coordinator.recover()
    assert (found.committed, found.aborted) == (((tx.id,), ()) if kept else ((), (tx.id,)))


class Holder(Part):
    """Says what it holds ready."""

    held: tuple[Gid, ...] = ()

    def prepared(self) -> tuple[Gid, ...]:
        self._do("prepared")
        return self.held


def test_what_others_have_prepared_is_listed_and_left_alone(face):
    """Another coordinator, and another log of the same name: this one may presume nothing."""
    a = Holder("a")
    shop = face(a)
    mine = shop.run().id.split(".")[1]
    a.told.clear()
    a.held = (
        Gid("bank", mine, "1" * 32, "a"),
        Gid("shop", "00000000", "2" * 32, "a"),
        Gid("shop", mine, "3" * 32, "a"),
    )
    found = shop.recover()
    assert found.aborted == (f"shop.{mine}.{'3' * 32}",)
    assert [(doubt.id[:6], doubt.outcome, doubt.participants) for doubt in found.in_doubt] == [
        ("bank." + mine[0], Outcome.IN_DOUBT, ("a",)),
        ("shop.0", Outcome.IN_DOUBT, ("a",)),
    ]
    assert {doubt.why for doubt in found.in_doubt} == {
        "of another coordinator or another log: this one may presume nothing"
    }
    assert a.told == ["prepared", "abort"]


def test_who_cannot_be_asked_what_it_holds_is_in_doubt(face):
    """A recovery that has not seen everything says so."""
    a = Holder("a", prepared=OSError("gone"))
    (doubt,) = face(a).recover().in_doubt
    assert (doubt.participants, doubt.why) == (("a",), "could not be asked what it holds ready")


def test_a_name_of_a_prepared_part_is_read_back():
    """Names of seawall are told from those of others."""
    gid = Gid("shop", "0123abcd", "f" * 32, "orders-1")
    assert gid_of(str(gid)) == gid
    assert len(str(Gid("c" * 40, "0" * 8, "f" * 32, "p" * 40))) <= 200
    assert gid_of("1_c2hvcA==_b3JkZXJz") is gid_of(f"{gid}.more") is None


def test_outcome_refuses_what_is_not_its_own(face):
    """A coordinator presumes nothing of another's transaction."""
    shop = face(Part("a"))
    mine = shop.run().id.split(".")[1]
    with pytest.raises(TransactionError) as caught:
        shop.outcome("bank.00000000.1")
    assert str(caught.value) == (
        f"transaction 'bank.00000000.1' is not of coordinator 'shop' with log {mine}, which may presume nothing of it; "
        "ask the coordinator it names"
    )


def test_bad_names_and_strangers_are_refused(engine):
    """Names say the range; whoever recovery could not reach may not take part."""
    log = TransactionLog(engine)
    with pytest.raises(ConfigError) as caught:
        TwoPhaseCommit(log, [], name="my shop")
    assert str(caught.value) == "name must be 1 to 40 ASCII letters, digits, '-' and '_', got 'my shop'"
    with pytest.raises(ConfigError, match="two participants are called 'a'; give each a name of its own"):
        TwoPhaseCommit(log, [Part("a"), Part("a")])
    with pytest.raises(
        ConfigError, match="a participant has a name, prepare, commit and abort, got 7; see Participant"
    ):
        TwoPhaseCommit(log, [7])
    coordinator = TwoPhaseCommit(log, [Part("a")])
    with pytest.raises(ConfigError, match="'b' is no participant of coordinator 'coordinator', so recovery could not"):
        coordinator.transaction().enlist(Part("b"))
    with pytest.raises(ConfigError, match=r"^'a' can only be enlisted inside `with coordinator.transaction\(\)`$"):
        coordinator.transaction().enlist("a")
    assert isinstance(Part("a"), Participant)


def test_the_log_tells_its_history(engine):
    """The kind reads the records for people."""
    shop = TwoPhaseCommit(TransactionLog(engine), [Part("a"), Part("b", Vote.NO)])
    kind = kind_of("2pc")
    assert kind is not None
    with shop.transaction() as tx:
        tx.enlist("a")
    history = shop.log.load("2pc", tx.id)
    assert [kind.words(entry) for entry in history.entries] == [
        "a asked to prepare",
        "commit decided; a to be told",
        "committed, everybody knows",
    ]
    assert kind.summary(history.entries).state == "committed"
    tx = shop.transaction()
    with pytest.raises(TransactionAborted), tx:
        assert tx.enlist("a") is not tx.enlist("b")
    history = shop.log.load("2pc", tx.id)
    assert kind.words(history.entries[-1]) == "aborted: b voted no"
    assert (kind.summary(history.entries).state, kind.summary(history.entries).reason) == ("aborted", "voted no: b")


def test_a_person_may_resolve_what_cannot_be_told(engine):
    """A participant that is gone for good: the transaction is over, and its decision stays what it was."""
    log = TransactionLog(engine)
    shop = TwoPhaseCommit(log, [Part("a", commit=OSError("gone"))])
    with shop.transaction() as tx:
        tx.enlist("a")
    with pytest.raises(TransactionError, match="its decision is in the log and nobody may change it; resume it, or"):
        driver_of(log.journal).run(give(log, "2pc", tx.id, "compensate", by="ann", why="a burnt down"))
    driver_of(log.journal).run(give(log, "2pc", tx.id, "resolve", by="ann", why="a burnt down"))
    kind, history = kind_of("2pc"), log.load("2pc", tx.id)
    assert [kind.words(entry) for entry in history.entries[2:]] == [
        "ann ordered to resolve: a burnt down",
        "resolved; participants that were not told are left to people",
    ]
    assert (shop.in_doubt(), shop.outcome(tx.id)) == ((), Outcome.COMMITTED)
    assert kind.order(history.entries, "resolve") == "it is over"


def test_one_transaction_can_be_recovered_alone(engine):
    """Others are left for later."""
    a = Part("a", commit=OSError("gone"))
    shop = TwoPhaseCommit(TransactionLog(engine), [a])
    ids = []
    for _ in range(2):
        with shop.transaction() as tx:
            tx.enlist("a")
        ids.append(tx.id)
    a.fails.clear()
    assert shop.recover(ids[1]).committed == (ids[1],)
    assert [doubt.id for doubt in shop.in_doubt()] == [ids[0]]


def test_a_transaction_is_entered_once(engine):
    """What one transaction did is not mixed into another."""
    tx = TwoPhaseCommit(TransactionLog(engine), [Part("a")]).transaction()
    with tx:
        assert repr(tx) == f"<Transaction {tx.id} open: nobody>"
    assert tx.result.outcome is Outcome.COMMITTED
    with pytest.raises(ConfigError, match="was entered before; begin another with coordinator"), tx:
        pass


def test_a_log_that_forgets_is_found(engine):
    """A decision must outlive a power cut."""
    (finding,) = TwoPhaseCommit(TransactionLog(engine), [Part("a")]).lint()
    assert str(finding) == (
        "durability of the log is none: a machine that loses power forgets decisions that some participants know of "
        "and others do not; keep the log on an engine with durability disk"
    )


class Slow(Part):
    """Prepares for ever, for tasks."""

    def __init__(self, name: str, began: asyncio.Event) -> None:
        super().__init__(name)
        self.began = began

    async def prepare_async(self, transaction: str) -> Vote:
        self._do("prepare")
        self.began.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_cancelled_task_undoes_what_is_not_decided(engine):
    """Cancelled while a participant prepares: all are told to abort, and the cancellation goes on."""
    a, b = Part("a"), Slow("b", asyncio.Event())
    shop = TwoPhaseCommit(TransactionLog(engine), [a, b])
    tx = shop.transaction()

    async def work() -> None:
        async with tx:
            await tx.enlist_async(a)
            await tx.enlist_async(b)

    task = asyncio.create_task(work())
    await b.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tx.result.outcome, a.told[-1], b.told) == (Outcome.ABORTED, "abort", ["prepare", "abort"])
    assert await shop.in_doubt_async() == ()
