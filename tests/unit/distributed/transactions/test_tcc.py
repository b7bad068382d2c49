"""Branches that are all confirmed or all cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.distributed.transactions import kind_of
from seawall.distributed.transactions.tcc import Branch, Coordinator, Tcc, TccResult
from seawall.engines import open_engine
from seawall.errors import ConfigError, StepRefused, TransactionBusy, TransactionError, TransactionExists
from seawall.guard.retry import Retry

TWICE = Retry(2, on=Exception, backoff=0.0, jitter="none")


class Wall:
    """Unix time by hand."""

    def __init__(self) -> None:
        self.ns = 1_700_000_000_000_000_000

    def now_ns(self) -> int:
        return self.ns


class Services:
    """Records what was called, and fails as told."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.fails: dict[str, list[BaseException]] = {}

    def __call__(self, context: Any) -> str:
        call = f"{context.operation} {context.branch}"
        self.called.append(call)
        if self.fails.get(call):
            raise self.fails[call].pop(0)
        return f"{context.branch} for {context.input}"

    def branch(self, name: str, **more: Any) -> Branch:
        return Branch(name, self, self, self, **{"retry": TWICE, "confirm_retry": TWICE, "cancel_retry": TWICE, **more})


@pytest.fixture
def services():
    """Services that do what they are asked."""
    return Services()


@pytest.fixture
def engine():
    """An engine whose time is a test's."""
    with open_engine("memory://", clock=ManualClock(1_000.0, autojump=True)) as opened:
        yield opened


@pytest.fixture
def wall():
    """Unix time by hand."""
    return Wall()


@pytest.fixture
def made(engine, services, wall):
    """Makes coordinators that share one log, closed afterwards."""
    coordinators = []

    def make(**how: Any) -> Coordinator:
        tcc = Tcc("order", services.branch("stock"), services.branch("payment"), services.branch("points"), **how)
        coordinators.append(Coordinator(engine, [tcc], ttl=30, wall=wall))
        return coordinators[-1]

    yield make
    for each in coordinators:
        each.close()


def calls(operation: str, *branches: str) -> list[str]:
    """Calls of one operation."""
    return [f"{operation} {branch}" for branch in branches]


ALL = ("stock", "payment", "points")


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("parallel", [False, True])
def test_all_are_tried_and_then_confirmed(made, services, face, parallel):
    """Results of the tries are told to the caller and to the confirms."""
    coordinator = made(parallel=parallel)
    if face == "sync":
        result = coordinator.run("order", 7, id="o1")
    else:
        result = asyncio.run(coordinator.run_async("order", 7, id="o1"))
    assert result == TccResult("o1", "order", "confirmed", {name: f"{name} for 7" for name in ALL})
    assert result.ok
    assert result.finished
    assert result.raise_unless_confirmed() is result
    if not parallel:
        assert services.called == calls("try", *ALL) + calls("confirm", *ALL)
    assert sorted(services.called[:3]) == sorted(calls("try", *ALL))
    assert sorted(services.called[3:]) == sorted(calls("confirm", *ALL))


def test_a_context_says_what_is_asked(engine):
    """Ids, keys, the barrier, and what the tries have returned so far."""
    seen: list[Any] = []

    def note(context: Any) -> dict[str, int]:
        seen.append((context.operation, context.branch, context.key, context.result, context.results, context.attempt))
        assert (context.id, context.tcc, context.input, context.lost) == ("o1", "order", {"n": 1}, False)
        assert context.barrier.headers()["seawall-transaction"] == "tcc/o1"
        assert (context.barrier.branch, context.barrier.operation) == (context.branch, context.operation)
        return {"held": len(seen)}

    coordinator = Coordinator(engine, [Tcc("order", Branch("a", note, note, note), Branch("b", note, note, note))])
    coordinator.run("order", {"n": 1}, id="o1")
    coordinator.close()
    both = {"a": {"held": 1}, "b": {"held": 2}}
    assert seen == [
        ("try", "a", "o1/a/try", None, {}, 1),
        ("try", "b", "o1/b/try", None, {"a": {"held": 1}}, 1),
        ("confirm", "a", "o1/a/confirm", {"held": 1}, both, 1),
        ("confirm", "b", "o1/b/confirm", {"held": 2}, both, 1),
    ]


def test_a_try_that_fails_for_good_cancels_all_that_was_tried(made, services):
    """In reverse order, the failed one included, as it may have reserved; never what was not tried."""
    services.fails["try payment"] = [ValueError("no"), ValueError("still no")]
    result = made().run("order", id="o1")
    assert (result.state, result.reason) == ("cancelled", "try of branch 'payment': ValueError: still no")
    assert services.called == [*calls("try", "stock", "payment", "payment"), *calls("cancel", "payment", "stock")]
    with pytest.raises(TransactionError) as raised:
        result.raise_unless_confirmed()
    assert str(raised.value) == "tcc 'order' 'o1' is cancelled: try of branch 'payment': ValueError: still no"


def test_a_try_that_was_refused_is_neither_repeated_nor_cancelled(made, services):
    """StepRefused says that nothing was reserved."""
    services.fails["try payment"] = [StepRefused("no money")]
    result = made().run("order")
    assert (result.state, result.reason) == ("cancelled", "try of branch 'payment': StepRefused: no money")
    assert services.called == [*calls("try", "stock", "payment"), "cancel stock"]


def test_a_parallel_try_that_fails_lets_the_others_end(made, services):
    """And then all that was tried is cancelled."""
    services.fails["try stock"] = [StepRefused("sold out")]
    assert made(parallel=True).run("order").state == "cancelled"
    assert sorted(services.called) == sorted([*calls("try", *ALL), *calls("cancel", "payment", "points")])


def test_an_id_is_begun_once(made, services):
    """The same question has the same answer; another one under the same id is an error."""
    first = made().run("order", 1, id="o1")
    assert made().run("order", 1, id="o1") == first
    assert made().status("o1") == first
    assert made().resume("o1") == first
    assert made().status("o2") is None
    assert len(services.called) == 6
    with pytest.raises(TransactionExists):
        made().run("order", 2, id="o1")


@pytest.mark.parametrize("how", ["recover", "run", "resume"])
def test_a_try_cut_short_is_presumed_to_be_cancelled(made, services, how):
    """Nobody knows whether it reserved, and nothing has been promised."""
    services.fails["try payment"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        made().run("order", id="o1")
    services.called.clear()
    other = made()
    if how == "recover":
        (result,) = other.recover()
    else:
        result = other.run("order", id="o1") if how == "run" else other.resume("o1")
    assert (result.state, result.reason) == (
        "cancelled",
        "the coordinator died, or was interrupted, while branch 'payment' was tried",
    )
    assert services.called == calls("cancel", "payment", "stock")
    assert other.recover() == []


def test_a_decision_outlives_its_coordinator(made, services):
    """What was decided to be confirmed is confirmed by whoever recovers."""
    services.fails["confirm payment"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        made().run("order", id="o1")
    services.called.clear()
    (result,) = asyncio.run(made().recover_async())
    assert result.ok
    assert services.called == calls("confirm", "payment", "points")


def test_what_was_only_started_is_tried_by_whoever_recovers(made, services):
    """Nothing was cut short, so there is nothing to presume."""
    assert made().start("order", id="o1").state == "trying"
    assert services.called == []
    assert [result.state for result in made().recover()] == ["confirmed"]


def test_another_coordinator_has_it(made, services, engine):
    """While it is owned nobody else begins, and the owner who lost it finds out."""
    coordinator = made()
    coordinator.start("order", id="o1")
    owned = made().log.own("tcc", "o1")
    with pytest.raises(TransactionBusy) as busy:
        coordinator.resume("o1")
    assert str(busy.value) == ("tcc 'o1' is run by another coordinator at present; ask for its status, or again later")
    made().log.let_go(owned)
    assert coordinator.resume("o1").ok


@pytest.mark.parametrize("parallel", [False, True])
def test_a_confirm_that_fails_for_good_parks_after_the_others_are_confirmed(made, services, parallel):
    """It is never cancelled, as others may be confirmed."""
    services.fails["confirm stock"] = [ValueError("no")] * 2
    result = made(parallel=parallel).run("order", id="o1")
    assert (result.state, result.reason) == ("parked", "confirm of branch 'stock': ValueError: no")
    assert not result.finished
    assert services.called.count("confirm payment") == services.called.count("confirm points") == 1
    assert not any(call.startswith("cancel") for call in services.called)
    kind = kind_of("tcc")
    entries = made().log.load("tcc", "o1").entries
    assert kind.order(entries, "compensate") == "it was decided to confirm it, and branches may have been confirmed"
    assert kind.order(entries, "retry") == ""
    summary = kind.summary(entries)
    assert (summary.name, summary.state, summary.parked, summary.done, summary.steps) == ("order", "parked", True, 2, 3)
    assert made().recover() == []


def test_a_person_may_let_a_parked_one_go_on_or_settle_it(made, services):
    """Attempts begin anew; what was settled is not called again; a confirmed one cannot be cancelled."""
    services.fails["confirm stock"] = [ValueError("no")] * 2
    coordinator = made()
    coordinator.run("order", id="o1")
    services.called.clear()
    with pytest.raises(TransactionError) as raised:
        coordinator.order("o1", "compensate", by="ann", why="enough")
    assert str(raised.value) == (
        "cannot compensate tcc 'o1': it was decided to confirm it, and branches may have been confirmed"
    )
    assert coordinator.order("o1", "retry", by="ann", why="repaired").state == "confirming"
    assert coordinator.resume("o1").ok
    assert services.called == ["confirm stock"]
    services.fails["confirm stock"] = [ValueError("no")] * 2
    coordinator.run("order", id="o2")
    assert asyncio.run(coordinator.order_async("o2", "resolve", by="ann", why="by hand")).state == "resolved"


def test_a_person_may_cancel_what_is_not_decided(made, services):
    """What was tried is cancelled."""
    coordinator = made()
    coordinator.start("order", id="o1")
    assert coordinator.order("o1", "park", by="ann", why="wait").state == "parked"
    assert coordinator.recover() == []
    assert coordinator.order("o1", "compensate", by="ann", why="not wanted").state == "cancelling"
    result = coordinator.resume("o1")
    assert (result.state, result.reason) == ("cancelled", "not wanted")
    assert services.called == []


def test_the_deadline_ends_the_tries_and_nothing_else(engine, services, wall):
    """What is decided is carried out, however late."""

    def slow(context: Any) -> None:
        wall.ns += 11_000_000_000

    first = Branch("stock", slow, slow, slow)
    last = Branch("points", slow, slow, slow)
    late = Tcc("late", first, services.branch("payment"), deadline=10)
    just = Tcc("just", services.branch("payment"), last, deadline=10)
    coordinator = Coordinator(engine, [late, just], wall=wall)
    result = coordinator.run("late")
    assert (result.state, result.reason) == ("cancelled", "the deadline has passed before branch 'payment' was tried")
    assert coordinator.run("just").state == "confirmed"
    coordinator.close()


def test_the_history_can_be_read_by_people(made, services):
    """One line for each record."""
    services.fails["try payment"] = [ConnectionError("away"), StepRefused("no money")]
    services.fails["cancel stock"] = [ValueError("once")]
    coordinator = made()
    coordinator.run("order", id="o1")
    entries = coordinator.log.load("tcc", "o1").entries
    kind = kind_of("tcc")
    assert [f"{entry.what}: {kind.words(entry)}" for entry in entries] == [
        "begun: tcc order",
        "started: try of stock, attempt 1",
        "done: try of stock",
        "started: try of payment, attempt 1",
        "failed: try of payment: ConnectionError: away (again in 0 s)",
        "started: try of payment, attempt 2",
        "failed: try of payment: StepRefused: no money (refused)",
        "decided: to cancel: try of branch 'payment': StepRefused: no money",
        "started: cancel of stock, attempt 1",
        "failed: cancel of stock: ValueError: once (again in 0 s)",
        "started: cancel of stock, attempt 2",
        "done: cancel of stock",
        "finished: cancelled",
    ]
    assert kind.summary(entries).done == 3
    assert kind.order(entries, "retry") == "it is cancelled, and nothing more can happen to it"


def test_what_ended_long_ago_can_be_forgotten(made, wall):
    """Its id may then be begun again."""
    coordinator = made()
    coordinator.run("order", 1, id="o1")
    assert coordinator.prune(older=60) == 0
    wall.ns += 61_000_000_000
    assert asyncio.run(coordinator.prune_async(older=60)) == 1
    assert coordinator.status("o1") is None
    assert coordinator.run("order", 2, id="o1").ok


def test_signals_tell_of_the_end(made, services):
    """Of those that ended here."""
    coordinator = made()
    told: list[TccResult] = []
    coordinator.ended.connect(told.append, weak=False)
    result = coordinator.run("order")
    assert told == [result]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: Branch("a/b", f, f, f), "name must be text of 1 to 100 bytes without '/', got 'a/b'"),
        (
            lambda f: Branch("a", f, None, f),
            "confirm of branch 'a' must be a function of the branch's context, got None",
        ),
        (lambda f: Branch("a", f, f, f, retry=3), "retry of branch 'a' must be a Retry, got 3"),
        (lambda f: Tcc("", Branch("a", f, f, f)), "name must be text of 1 to 100 bytes, got ''"),
        (lambda f: Tcc("t"), "branches of tcc 't' must be one Branch or more, got ()"),
        (
            lambda f: Tcc("t", Branch("a", f, f, f), Branch("a", f, f, f)),
            "tcc 't' has two branches named 'a'; their records would be mixed up",
        ),
        (lambda f: Coordinator(open_engine("memory://"), []), "tccs must be at least one Tcc, got none"),
        (lambda f: Coordinator(open_engine("memory://"), ["t"]), "tccs must be Tcc objects, got 't'"),
        (
            lambda f: Coordinator(
                open_engine("memory://"), [Tcc("t", Branch("a", f, f, f)), Tcc("t", Branch("a", f, f, f))]
            ),
            "two tccs are named 't'; recovery could not tell them apart",
        ),
    ],
)
def test_what_can_never_work_is_refused(make, message):
    """When it is defined."""
    with pytest.raises(ConfigError) as refused:
        make(print)
    assert str(refused.value) == message


def test_an_unknown_name_is_refused(made):
    """With the names that are known."""
    with pytest.raises(ConfigError) as refused:
        made().run("oder")
    assert str(refused.value) == "tcc must be one of order, got 'oder'; give its definition to the Coordinator"
