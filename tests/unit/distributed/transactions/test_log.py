"""The transaction log: who may write, what is found, what is kept."""

from __future__ import annotations

import pytest

from seawall.clock import ManualClock
from seawall.distributed.transactions import History, Key, LogEntry, Owned, TransactionLog, as_json
from seawall.distributed.transactions._log import done_stream, open_stream
from seawall.engines import open_engine
from seawall.errors import ConfigError, Damaged, LeaseLost, TransactionExists, UnknownOutcome, WrongVersion


@pytest.fixture
def clock():
    """Time for leases and stamps."""
    return ManualClock(1_000.0)


@pytest.fixture
def engine(clock):
    """Memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


@pytest.fixture
def log(engine, clock):
    """A log of one owner."""
    return TransactionLog(engine, owner="me", ttl=10, wall=clock)


@pytest.fixture
def other(engine, clock):
    """The log of another owner."""
    return TransactionLog(engine, owner="you", ttl=10, wall=clock)


def begun(log: TransactionLog, **data: object) -> LogEntry:
    """A beginning."""
    return log.entry("begun", name="order", input=data)


def test_one_of_many_begins_a_transaction(log, other):
    """The first owns it; the same beginning again finds what there is, whoever asks."""
    mine = log.begin("saga", "1", begun(log, a=1), log.entry("started", step="a"))
    assert isinstance(mine, Owned)
    assert mine.is_new
    for again in (log, other):
        found = again.begin("saga", "1", begun(again, a=1))
        assert isinstance(found, History)
        assert not found.finished
        assert [entry.what for entry in found.entries] == ["begun", "started"]


def test_an_id_is_not_begun_with_other_input(log):
    """The error says both, and nothing is begun."""
    log.begin("saga", "1", begun(log, a=1))
    with pytest.raises(TransactionExists) as refused:
        log.begin("saga", "1", begun(log, a=2))
    assert str(refused.value) == (
        "saga '1' has been begun with {'name': 'order', 'input': {'a': 1}}, not with {'name': 'order', 'input': "
        "{'a': 2}}; nothing was begun: use another id"
    )
    assert (refused.value.kind, refused.value.id) == ("saga", "1")


def test_the_plan_does_not_make_another_transaction(log):
    """How it is done may change with the code between two calls with one id."""
    log.begin("saga", "1", log.entry("begun", input=1, plan=["a"]))
    assert isinstance(log.begin("saga", "1", log.entry("begun", input=1, plan=["a", "b"])), History)


def test_a_finished_transaction_is_found_but_not_owned(log, other):
    """By its id it is never begun again; its history is kept with a final record."""
    mine = log.begin("saga", "1", begun(log))
    log.write(mine, log.entry("done", step="a"))
    log.finish(mine, log.entry("finished", state="done"))
    for found in (other.begin("saga", "1", begun(other)), other.own("saga", "1"), log.load("saga", "1")):
        assert isinstance(found, History)
        assert found.finished
        assert [entry.what for entry in found.entries] == ["begun", "done", "finished"]
    assert log.keys() == ()
    assert log.keys(finished=True) == (Key("saga", "1"),)


def test_who_was_away_too_long_cannot_write(log, other, clock):
    """Neither write, leave nor finish; another takes over and reads all that was written."""
    mine = log.begin("saga", "1", begun(log))
    log.write(mine, log.entry("started", step="a"))
    assert other.own("saga", "1").entries == tuple(mine.entries)
    clock.advance(9)
    log.keep(mine)
    clock.advance(9)
    assert isinstance(other.own("saga", "1"), History)
    clock.advance(2)
    yours = other.own("saga", "1")
    assert isinstance(yours, Owned)
    assert yours.entries == mine.entries
    other.write(yours, other.entry("done", step="a"))
    for late in (
        lambda: log.write(mine, log.entry("done", step="a")),
        lambda: log.finish(mine, log.entry("finished")),
        lambda: log.leave(mine, log.entry("parked")),
        lambda: log.keep(mine),
    ):
        with pytest.raises(LeaseLost):
            late()
    assert mine.lost is not None
    assert log.let_go(mine) is False
    assert [entry.what for entry in log.load("saga", "1").entries] == ["begun", "started", "done"]


def test_what_nobody_owns_is_found(log, other, clock):
    """Left, or with an owner who is gone; not what is owned, nor what is finished."""
    for id in ("a", "b", "c", "d"):
        owned = log.begin("saga", id, begun(log))
        if id == "a":
            log.leave(owned, log.entry("parked"))
        if id == "b":
            log.finish(owned, log.entry("finished"))
    assert log.keys("saga") == (Key("saga", "a"), Key("saga", "c"), Key("saga", "d"))
    assert log.keys("saga", unowned=True) == (Key("saga", "a"),)
    clock.advance(11)
    assert log.keys(unowned=True, limit=2) == (Key("saga", "a"), Key("saga", "c"))
    assert log.keys("saga", unowned=True, after="c") == (Key("saga", "d"),)
    assert other.own("saga", "none") is None
    with pytest.raises(ConfigError) as refused:
        log.keys(after="c")
    assert str(refused.value) == "after is 'c' but kind is None; page through one kind at a time"


def test_finished_transactions_are_forgotten_after_a_while(log, clock):
    """Only those whose last record is old enough; then the id may be begun again."""
    for id in ("old", "new"):
        log.finish(log.begin("saga", id, begun(log)), log.entry("finished"))
        clock.advance(60)
    assert log.prune("saga", older=100) == 1
    assert log.load("saga", "old") is None
    assert log.load("saga", "new").finished
    assert isinstance(log.begin("saga", "old", begun(log, other=True)), Owned)
    clock.advance(1_000)
    assert log.prune("saga", older=100, limit=1) == 1


def test_a_write_whose_answer_is_lost_is_written_once(log, monkeypatch):
    """Lost before or after it was made: it is there once, and the owner goes on."""
    mine = log.begin("saga", "1", begun(log))
    honest = type(log.journal)._append
    for made in (True, False):
        lost = [True]

        def append(self, *args, made=made, lost=lost):
            if not lost:
                return (yield from honest(self, *args))
            lost.clear()
            if made:
                yield from honest(self, *args)
            raise UnknownOutcome("the answer was lost")

        monkeypatch.setattr(type(log.journal), "_append", append)
        log.write(mine, log.entry("done", step=str(made)))
        assert not lost
    log.write(mine, log.entry("done", step="last"))
    steps = [entry.data.get("step") for entry in log.load("saga", "1").entries]
    assert steps == [None, "True", "False", "last"]
    assert list(log.load("saga", "1").entries) == mine.entries


@pytest.mark.parametrize("made", [True, False])
def test_an_end_whose_answer_is_lost_is_looked_for(log, other, monkeypatch, made):
    """Made, it is the end; not made, the owner is told, and recovery finds the transaction as it was."""
    mine = log.begin("saga", "1", begun(log))
    honest = type(log.journal)._conclude

    def conclude(self, *args):
        if made:
            yield from honest(self, *args)
        raise UnknownOutcome("the answer was lost")

    monkeypatch.setattr(type(log.journal), "_conclude", conclude)
    if made:
        log.finish(mine, log.entry("finished"))
        assert mine.history().finished
        assert log.load("saga", "1").finished
        return
    with pytest.raises(UnknownOutcome):
        log.finish(mine, log.entry("finished"))
    log.let_go(mine)
    assert [entry.what for entry in other.own("saga", "1").entries] == ["begun"]


def test_what_dies_between_its_last_record_and_its_move_is_moved_by_the_next_owner(log, other, clock):
    """On an engine that concludes in several steps: found finished, not owned."""
    mine = log.begin("saga", "1", begun(log))
    log.write(mine, log.entry("finished")._replace(final=True))
    clock.advance(11)
    found = other.own("saga", "1")
    assert isinstance(found, History)
    assert found.finished
    assert log.keys("saga") == ()
    assert log.journal.last(done_stream(Key("saga", "1"))) > 0


def test_what_no_transaction_wrote_is_refused(log):
    """Garbage and records of a later version."""
    stream = open_stream(Key("saga", "1"))
    log.journal.append(stream, b"garbage")
    with pytest.raises(Damaged) as damaged:
        log.load("saga", "1")
    assert str(damaged.value) == "stream 'open/saga/1' holds a record that no transaction wrote: b'garbage'"
    log.journal.append(open_stream(Key("saga", "2")), b'{"v":2,"what":"begun","at":0}')
    with pytest.raises(WrongVersion) as newer:
        log.load("saga", "2")
    assert str(newer.value) == (
        "stream 'open/saga/2' has records of version 2, this seawall reads version 1; upgrade it"
    )


@pytest.mark.parametrize("id", ["", "x" * 257, "a\nb", 7])
def test_an_id_is_text(log, id):
    """Of 1 to 256 bytes."""
    with pytest.raises(ConfigError) as refused:
        log.begin("saga", id, begun(log))
    assert str(refused.value) == f"id must be text of 1 to 256 bytes without control characters, got {id!r}"


def test_what_is_no_json_is_refused_before_anything_is_written(log):
    """The error names it."""
    with pytest.raises(ConfigError) as refused:
        log.begin("saga", "1", log.entry("begun", input={1, 2}))
    assert str(refused.value) == (
        "the record 'begun' must be JSON (None, bool, int, float, str, list, dict), but Object of type set is not JSON "
        "serializable"
    )
    assert log.keys() == ()
    with pytest.raises(ConfigError) as large:
        as_json("x" * 1_000_000, "the result")
    assert str(large.value) == (
        "the result must be at most 900,000 bytes as JSON, got 1,000,002; keep large things elsewhere and their "
        "address here"
    )
    assert as_json((1, {"a": (2,)}), "input") == [1, {"a": [2]}]


async def test_tasks_have_the_same_calls(log):
    """Begin, write, finish and load by their twins."""
    mine = await log.begin_async("saga", "1", begun(log))
    await log.write_async(mine, log.entry("done"))
    await log.keep_async(mine)
    await log.finish_async(mine, log.entry("finished"))
    assert (await log.load_async("saga", "1")).finished
    assert await log.keys_async(finished=True) == (Key("saga", "1"),)
    assert await log.prune_async("saga", older=0) == 1
