"""Locks and elections on every engine."""

from __future__ import annotations

from types import MethodType

import pytest
from tests.contract.faces import Faced

from seawall.distributed.election import Leader, LeaderElection, NoLeader
from seawall.distributed.locks import FencedKeyValue, FencedLock, MultiLock, ReadWriteLock, Semaphore
from seawall.engines import KeyValue
from seawall.errors import LockLost, TimeoutExceeded


@pytest.fixture(params=["its own enlist", "the composed enlist"])
def port(kv, request):
    """Where the locks are: with the engine's own enlist, and with the one that engines get which have none."""
    if request.param == "the composed enlist":
        kv.thing._enlist = MethodType(KeyValue._enlist, kv.thing)
    return kv.thing


def test_one_holds_a_lock_and_tokens_grow(port, runner):
    """Whoever comes next has a greater token, and nobody has it meanwhile."""
    one, two = (Faced(FencedLock(port, "x"), runner) for _ in range(2))
    tokens = []
    for _ in range(3):
        held = Faced(one.acquire(), runner)
        assert two.try_acquire() is None
        held.check(at_least=5)
        assert held.renew() > 5
        tokens.append(held.token)
        assert held.release() is True
        other = two.try_acquire()
        tokens.append(other.token)
        assert Faced(other, runner).release() is True
    assert tokens == sorted(set(tokens))
    assert port.list().entries == ()


def test_a_holder_that_gives_no_sign_of_life_loses_its_lock(port, runner, backend):
    """Who waits has it when the lease has ended, with a greater token; the old holder is told."""
    first = Faced(FencedLock(port, "x", ttl=backend.short, renew=False).acquire(), runner)
    second = Faced(FencedLock(port, "x", ttl=60, renew=False), runner).acquire(timeout=60)
    assert second.token > first.token
    assert first.remaining() == 0
    with pytest.raises(LockLost):
        first.check()
    with pytest.raises(LockLost):
        first.renew()
    assert first.release() is False
    second.check(at_least=5)


def test_who_waits_in_vain_leaves_the_line(port, runner):
    """The timeout names who held it, and nobody is behind it afterwards."""
    held = Faced(FencedLock(port, "x", owner="other", ttl=60, renew=False).acquire(), runner)
    with pytest.raises(TimeoutExceeded) as refused:
        Faced(FencedLock(port, "x"), runner).acquire(timeout=0.05)
    assert str(refused.value) == "lock 'x' was not free within 0.05 s: 1 ahead, first of them 'other'"
    assert Faced(FencedLock(port, "x"), runner).owners() == ("other",)
    held.release()
    assert Faced(FencedLock(port, "x"), runner).try_acquire() is not None


def test_readers_share_and_a_writer_is_alone(port, runner):
    """And a writer that waits holds back later readers."""
    locks = [ReadWriteLock(port, "x") for _ in range(4)]
    readers = [Faced(locks[n].reader, runner).acquire() for n in range(2)]
    writer = locks[2].writer
    place = writer._place()
    waiting = port.enlist(place.key, b"writer", ttl=60, behind=place.behind)
    assert waiting.ahead == 2
    assert Faced(locks[3].reader, runner).try_acquire() is None
    for reader in readers:
        assert Faced(reader, runner).release()
    assert Faced(locks[3].reader, runner).try_acquire() is None
    port.revoke(waiting.lease)
    assert Faced(locks[3].reader, runner).try_acquire() is not None


def test_a_semaphore_has_as_many_slots_as_permits(port, runner):
    """Each has one of its own, and a slot's tokens grow."""
    semaphore = Faced(Semaphore(port, "x", 2), runner)
    one, two = (Faced(semaphore.acquire(), runner) for _ in range(2))
    assert (one.slot, two.slot, semaphore.try_acquire()) == (0, 1, None)
    assert one.release()
    again = semaphore.acquire()
    assert again.slot == 0
    assert again.token > one.token


def test_several_locks_are_held_or_none(port, runner):
    """Where one is taken, none is held."""
    taken = Faced(FencedLock(port, "b").acquire(), runner)
    lock = Faced(MultiLock(port, ["c", "a", "b"]), runner)
    assert lock.try_acquire() is None
    assert len(port.list().entries) == 1
    taken.release()
    held = Faced(lock.acquire(), runner)
    assert held.release() is True
    assert port.list().entries == ()


def test_a_fenced_key_takes_only_the_newest_token(port, runner):
    """Also after it was deleted."""
    lock, state = FencedLock(port, "x"), Faced(FencedKeyValue(port), runner)
    old = lock.acquire()
    old.release()
    new = lock.acquire()
    state.put("key", b"1", old.token)
    state.put("key", b"2", new)
    with pytest.raises(LockLost):
        state.put("key", b"3", old.token)
    assert state.get("key").value == b"2"
    assert state.delete("key", new) is True
    with pytest.raises(LockLost):
        state.put("key", b"3", old.token)
    assert state.get("key") is None


def test_observers_see_who_leads(port, runner):
    """From nobody to one, to the next, to nobody, with terms that grow."""
    one, two = (Faced(LeaderElection(port, "x", candidate=name), runner) for name in ("one", "two"))
    with LeaderElection(port, "x").watch(heartbeat=10) as plain:
        watch = Faced(plain, runner)
        assert isinstance(told(watch), NoLeader)
        first = one.acquire()
        assert told(watch) == Leader("one", first.term) == two.leader()
        Faced(first, runner).resign()
        assert isinstance(told(watch), NoLeader)
        second = two.acquire()
        assert told(watch) == Leader("two", second.term)
        assert second.term > first.term
        Faced(second, runner).resign()


def told(watch):
    """The next that is told."""
    while (standing := watch.poll()) is None:
        pass
    return standing
