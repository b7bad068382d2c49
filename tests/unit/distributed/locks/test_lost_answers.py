"""An acquisition whose answer is lost finds out, or is given back: nobody holds without knowing, no two hold."""

from __future__ import annotations

from types import MethodType

import pytest

from seawall.distributed.locks import FencedLock, Semaphore
from seawall.engines import KeyValue
from seawall.errors import Unavailable, UnknownOutcome


@pytest.fixture(params=["its own enlist", "the composed enlist"])
def port(kv, request):
    """With the engine's own enlist, and with the one that engines get which have none."""
    if request.param == "the composed enlist":
        kv._enlist = MethodType(KeyValue._enlist, kv)
    return kv


def losing(monkeypatch, state, name, outcomes):
    """Each call loses what was sent ("sent"), its answer ("answer"), or nothing, in turn."""
    whole, left = getattr(state, name), list(outcomes)

    def lose(*args):
        outcome = left.pop(0) if left else ""
        if outcome == "sent":
            raise UnknownOutcome("it was sent, perhaps")
        answer = whole(*args)
        if outcome == "answer":
            raise UnknownOutcome("the answer was lost")
        return answer

    monkeypatch.setattr(state, name, lose)
    return left


@pytest.mark.parametrize(
    "outcomes", [["sent"], ["answer"], ["sent", "answer"], ["answer", "answer"], ["answer", "sent"]]
)
@pytest.mark.parametrize("step", ["enlist", "grant", "put"])
def test_an_answer_that_was_lost_is_asked_for_again(port, monkeypatch, outcomes, step):
    """The lock is held, once, for no longer than the engine gives."""
    losing(monkeypatch, port._state, step, outcomes)
    held = FencedLock(port, "x").acquire()
    (entry,) = port.list().entries
    assert (entry.revision, entry.lease) == (held.token, held._stand.lease.id)
    assert FencedLock(port, "x").try_acquire() is None
    held.release()
    assert port.list().entries == ()


@pytest.mark.parametrize("outcome", ["sent", "answer"])
def test_an_answer_that_stays_lost_is_told_and_nothing_is_held(port, monkeypatch, outcome):
    """What was created is removed, so that others need not wait for the lease."""
    losing(monkeypatch, port._state, "put" if "_enlist" in vars(port) else "enlist", [outcome] * 3)
    with pytest.raises(UnknownOutcome):
        FencedLock(port, "x").acquire()
    assert port.list().entries == ()
    assert FencedLock(port, "x").try_acquire() is not None


def test_what_cannot_even_be_removed_ends_with_its_lease(kv, clock, monkeypatch):
    """Others are held up for that long, and not longer."""
    losing(monkeypatch, kv._state, "enlist", ["answer"] * 3)
    delete = kv._state.delete

    def away(*args):
        raise Unavailable("away")

    monkeypatch.setattr(kv._state, "delete", away)
    with pytest.raises(UnknownOutcome):
        FencedLock(kv, "x", ttl=10).acquire()
    monkeypatch.setattr(kv._state, "delete", delete)
    assert FencedLock(kv, "x").try_acquire() is None
    clock.advance(10)
    assert FencedLock(kv, "x").try_acquire() is not None


@pytest.mark.parametrize("outcome", ["sent", "answer"])
def test_a_slot_whose_answer_was_lost_is_looked_for(kv, monkeypatch, outcome):
    """A permit never has two slots."""
    # The memory engine's own enlist puts first.
    losing(monkeypatch, kv._state, "put", ["", outcome])
    semaphore = Semaphore(kv, "x", 2)
    permits = [semaphore.acquire(), semaphore.acquire()]
    assert [permit.slot for permit in permits] == [0, 1]
    assert len(kv.list("semaphore/x/s/").entries) == 2


def test_a_release_whose_answer_was_lost_is_one(kv, monkeypatch):
    """The lease ends by itself, if it has not: nothing is raised at the end of the block."""
    losing(monkeypatch, kv._state, "revoke", ["answer"])
    with FencedLock(kv, "x"):
        pass
    assert kv.list().entries == ()
    losing(monkeypatch, kv._state, "revoke", ["sent"])
    with FencedLock(kv, "x", ttl=10) as held:
        pass
    assert not held.held
    assert len(kv.list().entries) == 1
