"""One leads, the others stand by; observers know who, or that they do not know."""

from __future__ import annotations

import asyncio

import pytest

from seawall.distributed.election import Leader, LeaderElection, Leadership, LeaderUnknown, NoLeader
from seawall.distributed.locks import FencedKeyValue
from seawall.engines import open_engine
from seawall.errors import LockLost, Unavailable
from seawall.testing import run, run_threads


def test_one_leads_and_others_are_told_who(engine):
    """The candidate and its term; nobody before and nobody after."""
    one, two = LeaderElection(engine, "x", candidate="one"), LeaderElection(engine, "x", candidate="two")
    assert isinstance(one.leader(), NoLeader)
    leadership = one.acquire()
    assert isinstance(leadership, Leadership)
    assert two.try_acquire() is None
    assert two.leader() == Leader("one", leadership.term)
    assert leadership.resign() is True
    assert isinstance(two.leader(), NoLeader)
    assert two.acquire().term > leadership.term


def test_candidates_lead_in_the_order_they_came(engine, clock):
    """When one resigns the next leads at once, with a greater term."""
    led = []

    def stand(number):
        clock.sleep(number)
        with LeaderElection(engine, "x", candidate=str(number)) as leadership:
            led.append((number, leadership.term, clock.time()))
            clock.sleep(10)

    run_threads(clock, *(lambda n=n: stand(n) for n in (2, 0, 1)))
    assert [(number, at) for number, _, at in led] == [(0, 1_000), (1, 1_010), (2, 1_020)]
    assert sorted(term for _, term, _ in led) == [term for _, term, _ in led]


def test_run_works_while_it_leads_and_resigns(engine):
    """It returns what the work returned."""
    election = LeaderElection(engine, "x")
    assert election.run(lambda leadership: leadership.term) == 1
    assert isinstance(election.leader(), NoLeader)


def test_run_stands_by_again_when_leadership_was_lost(engine, kv, clock):
    """The work begins anew with a greater term; told by check."""
    election, terms = LeaderElection(engine, "x", ttl=9), []

    def work(leadership):
        terms.append(leadership.term)
        if len(terms) < 3:
            kv.revoke(leadership._stand.lease)
            clock.advance(3)
            leadership.check()
        return "done"

    assert election.run(work) == "done"
    assert terms == sorted(set(terms))
    assert len(terms) == 3


def test_run_once_only_if_asked(engine, kv, clock):
    """Then the loss is the caller's to handle; so is any other error, and then it has resigned."""
    election = LeaderElection(engine, "x", ttl=9)

    def work(leadership):
        kv.revoke(leadership._stand.lease)
        clock.advance(3)
        leadership.check()

    with pytest.raises(LockLost, match=r"^leadership 'x' is not held: the engine has ended its lease"):
        election.run(work, again=False)

    def fail(leadership):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        election.run(fail)
    assert isinstance(election.leader(), NoLeader)


def test_the_work_of_a_task_is_cancelled_where_it_stands(engine, kv, clock):
    """And begins anew when it leads again."""
    seen = []

    async def work(leadership):
        seen.append("began")
        if len(seen) == 1:
            kv.revoke(leadership._stand.lease)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return leadership.term

    term = run(LeaderElection(engine, "x", ttl=9).run_async(work), clock)
    assert seen == ["began", "cancelled", "began"]
    assert term > 1


def test_an_old_term_does_not_act(engine, kv, clock):
    """What a leader wrote after it was succeeded is refused where it is written."""
    state = FencedKeyValue(engine.key_value("state"))
    old = LeaderElection(engine, "x").acquire()
    state.put("plan", b"1", old)
    kv.revoke(old._stand.lease)
    new = LeaderElection(engine, "x").acquire()
    state.put("plan", b"2", new)
    with pytest.raises(LockLost):
        state.put("plan", b"3", old.term)
    assert state.get("plan").value == b"2"


def test_observers_are_told_every_change(engine):
    """First what is so, then each change; who stands by is not told of."""
    one, two = LeaderElection(engine, "x", candidate="one"), LeaderElection(engine, "x", candidate="two")
    with two.watch(heartbeat=0.1) as watch:
        assert isinstance(next(watch), NoLeader)
        first = one.acquire()
        assert next(watch) == Leader("one", first.term)
        place = two._place()
        second = engine.key_value("locks").enlist(place.key, b"two", ttl=60, behind=place.behind)
        assert watch.poll() is None
        first.resign()
        assert next(watch) == Leader("two", second.revision)
        engine.key_value("locks").revoke(second.lease)
        assert isinstance(next(watch), NoLeader)


def test_observers_are_told_when_nobody_knows(engine, clock, monkeypatch):
    """Once, with what was known before; and what is so when the engine answers again."""
    election = LeaderElection(engine, "x", candidate="one")
    leadership = election.acquire()
    state = election._key_value._state
    changes, watch = state.changes, election.watch(heartbeat=1)
    assert next(watch) == Leader("one", leadership.term)

    def away(*args):
        raise Unavailable("away")

    monkeypatch.setattr(state, "changes", away)
    clock.autojump = True
    unknown = next(watch)
    assert isinstance(unknown, LeaderUnknown)
    assert unknown.last == Leader("one", leadership.term)
    assert "has heard nothing from memory:// for 1 s" in unknown.reason
    assert watch.poll() is None
    monkeypatch.setattr(state, "changes", changes)
    assert next(watch) == Leader("one", leadership.term)
    watch.close()


def test_tasks_observe_too(engine, clock):
    """The async face tells the same."""

    async def main():
        election = LeaderElection(engine, "x", candidate="one")
        async with election.watch() as watch:
            assert isinstance(await anext(watch), NoLeader)
            async with election as leadership:
                assert await anext(watch) == Leader("one", leadership.term)
                assert await election.leader_async() == Leader("one", leadership.term)
            assert isinstance(await anext(watch), NoLeader)

    run(main(), clock)


def test_it_shows_itself():
    """Name, candidate, engine and time."""
    election = LeaderElection(open_engine("memory://"), "x", candidate="one", ttl=3)
    assert repr(election) == "<LeaderElection 'x' as 'one' on memory://, ttl 3 s>"
