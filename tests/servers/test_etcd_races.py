"""What happens between the read and the transaction of an operation on etcd: it is decided anew, and nothing twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.etcd_server import EtcdServer

from seawall.engines import Engine, open_engine
from seawall.engines.operation import Op
from seawall.errors import Conflict, EngineError, LeaseLost


@pytest.fixture
def engine(shared_etcd: EtcdServer) -> Iterator[Engine]:
    """An open engine."""
    with open_engine(shared_etcd.url, lint=False) as opened:
        yield opened


@pytest.fixture
def journal(engine: Engine) -> Any:
    """A journal nobody else uses."""
    return engine.journal(f"t-{secrets.token_hex(8)}")


def interrupted(journal: Any, operation: Op[Any], before: int, meanwhile: Callable[[], Any]) -> Any:
    """Run an operation; just before its send number `before`, from 0, something else happens."""
    reply, error, count = None, None, 0
    while True:
        try:
            step = operation.send(reply) if error is None else operation.throw(error)
        except StopIteration as done:
            assert count > before
            return done.value
        if count == before:
            meanwhile()
        count, reply, error = count + 1, None, None
        try:
            reply = journal._driver.wire.execute(step.what, 5.0)
        except EngineError as refused:
            error = refused


def test_appends_take_turns(journal):
    """The later one has the higher positions, and both are there."""
    first = journal.append("s", b"0")
    others = []
    last = interrupted(
        journal, journal._do_append("s", b"a", b"b"), 1, lambda: others.append(journal.append("s", b"1", b"2"))
    )
    assert first < others[0] < last
    assert [record.data for record in journal.scan("s")] == [b"0", b"1", b"2", b"a", b"b"]
    assert journal.last("s") == last


@pytest.mark.parametrize("there", [True, False])
def test_an_append_to_a_stream_that_was_filled_and_emptied_meanwhile_gets_new_positions(journal, there):
    """No position is given twice, although the stream looks as it did before."""
    given = []

    def meanwhile() -> None:
        given.append(journal.append("s", b"1"))
        assert journal.trim("s", given[-1]) == 1

    if there:
        journal.trim("s", journal.append("s", b"0"))
    last = interrupted(journal, journal._do_append("s", b"a"), 1, meanwhile)
    assert last > given[0]


def test_an_append_that_expects_is_refused_when_another_comes_first(journal):
    """With what it found then."""
    first, others = journal.append("s", b"0"), []
    with pytest.raises(Conflict) as refused:
        interrupted(
            journal, journal._do_append("s", b"a", expected=first), 1, lambda: others.append(journal.append("s", b"1"))
        )
    assert refused.value.actual == others[0]


def test_a_claim_that_is_lost_between_read_and_write_does_not_write(journal):
    """Also when the stream itself is as it was."""
    claim = journal.claim("s", "me", 60)
    with pytest.raises(LeaseLost):
        interrupted(journal, journal._do_append("s", b"a", claim=claim), 1, lambda: journal.release(claim))
    assert journal.scan("s") == ()


@pytest.mark.parametrize("before", [0, 1, 2])
def test_one_of_two_has_the_claim(journal, before):
    """Whenever the other came."""
    mine = interrupted(journal, journal._do_claim("s", "me", 60), before, lambda: journal.claim("s", "you", 60))
    assert mine is None


@pytest.mark.parametrize("before", [0, 1, 2])
def test_one_of_two_is_first(journal, before):
    """Whenever the other came."""
    others = []
    mine = interrupted(
        journal, journal._do_first_time("in", "m", window=60), before,
        lambda: others.append(journal.first_time("in", "m", window=60)),
    )  # fmt: skip
    assert (mine, others) == (False, [True])


@pytest.mark.parametrize("before", [0, 1, 2])
def test_two_never_take_one_record(journal, before):
    """The one who was slower takes what is left."""
    journal.append("s", b"1", b"2", b"3")
    others = []
    mine = interrupted(
        journal, journal._do_take("s", "me", 60, limit=2), before, lambda: others.extend(journal.take("s", "you", 60))
    )
    assert [each.record.data for each in (*others, *mine)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_record_that_goes_while_it_is_taken_is_not_taken(journal, before):
    """Nor is anything left of it."""
    last = journal.append("s", b"1")
    assert interrupted(journal, journal._do_take("s", "me", 60), before, lambda: journal.trim("s", last)) == ()
    assert journal.streams() == ()
    assert journal.append("s", b"2") > last
    assert [each.attempt for each in journal.take("s", "me", 60)] == [1]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_acknowledgements_of_one_stream_take_turns(journal, before):
    """The last of them empties it, in whatever order."""
    journal.append("s", b"1", b"2", b"3")
    first, second, third = journal.take("s", "me", 60, limit=3)
    interrupted(journal, journal._do_acknowledge(third), before, lambda: journal.acknowledge(second))
    assert journal.last("s") == first.record.position
    journal.acknowledge(first)
    assert (journal.last("s"), journal.streams(), journal.scan("s")) == (0, (), ())


@pytest.mark.parametrize("before", [0, 1])
def test_an_acknowledgement_after_the_time_has_passed_is_refused(journal, before):
    """Also when it passed between read and write."""
    journal.append("s", b"1")
    (mine,) = journal.take("s", "me", 60)
    with pytest.raises(LeaseLost):
        interrupted(journal, journal._do_acknowledge(mine), before, lambda: journal.give_back(mine))
    assert len(journal.scan("s")) == 1


@pytest.mark.parametrize("before", [0, 1])
def test_a_trim_counts_what_was_there(journal, before):
    """An append meanwhile is kept, an acknowledgement meanwhile is not counted."""
    last = journal.append("s", b"1", b"2")
    (taken,) = journal.take("s", "me", 60)

    def meanwhile() -> None:
        journal.append("s", b"3")
        journal.acknowledge(taken)

    assert interrupted(journal, journal._do_trim("s", last), before, meanwhile) == 1
    assert [record.data for record in journal.scan("s")] == [b"3"]
    assert journal.streams() == ("s",)
