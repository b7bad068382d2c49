"""Readers and writers, permits, and several locks at once."""

from __future__ import annotations

import asyncio

import pytest

from seawall.distributed.locks import FencedHeld, FencedLock, Held, MultiLock, ReadWriteLock, Semaphore
from seawall.errors import ConfigError, LockLost, TimeoutExceeded
from seawall.testing import run, run_threads


def test_many_read_or_one_writes(engine):
    """Readers share; a writer is alone, and its token grows."""
    one, two = ReadWriteLock(engine, "x"), ReadWriteLock(engine, "x")
    first, second = one.reader.acquire(), two.reader.acquire()
    assert type(first) is type(second) is Held
    assert ReadWriteLock(engine, "x").writer.try_acquire() is None
    first.release()
    second.release()
    writing = one.writer.acquire()
    assert isinstance(writing, FencedHeld)
    assert two.reader.try_acquire() is None
    assert two.writer.try_acquire() is None
    writing.release()
    assert two.writer.acquire().token > writing.token


def test_a_waiting_writer_lets_no_later_reader_pass(engine, clock):
    """So it does not starve, however many readers come; and readers that came before it go first."""
    order = []

    def work(side, at, lasts):
        clock.sleep(at)
        with getattr(ReadWriteLock(engine, "x"), side):
            order.append((side, at, clock.time() - 1_000))
            clock.sleep(lasts)

    run_threads(
        clock,
        lambda: work("reader", 1, 10),
        lambda: work("reader", 2, 20),
        lambda: work("writer", 3, 5),
        lambda: work("reader", 4, 7),
        lambda: work("reader", 5, 7),
        lambda: work("writer", 6, 1),
    )
    assert order[:3] == [("reader", 1, 1), ("reader", 2, 2), ("writer", 3, 22)]
    assert sorted(order[3:5]) == [("reader", 4, 27), ("reader", 5, 27)]
    assert order[5] == ("writer", 6, 34)


@pytest.mark.parametrize(
    ("has", "wants", "message"),
    [
        ("reader", "writer", "read lock 'x' is held by this thread, and a write lock would wait for it; "),
        ("writer", "reader", "write lock 'x' is held by this thread, and a read lock would wait for it; "),
    ],
)
def test_to_change_sides_while_holding_is_told_at_once(engine, has, wants, message):
    """Instead of waiting for oneself for ever."""
    lock = ReadWriteLock(engine, "x")
    with getattr(lock, has):
        with pytest.raises(ConfigError) as refused:
            getattr(lock, wants).acquire()
        assert str(refused.value) == f"{message}release it first"
        assert getattr(lock, wants).try_acquire() is None


def test_a_semaphore_has_so_many_permits(engine):
    """Each with a slot that nobody else has; the token of a slot grows."""
    semaphore = Semaphore(engine, "x", 3)
    permits = [semaphore.acquire() for _ in range(3)]
    assert [permit.slot for permit in permits] == [0, 1, 2]
    assert semaphore.try_acquire() is None
    assert Semaphore(engine, "x", 3).try_acquire() is None
    permits[1].release()
    again = semaphore.acquire()
    assert (again.slot, again.token > permits[1].token) == (1, True)
    assert len(semaphore.owners()) == 3


def test_a_dead_permit_frees_its_slot(engine, clock):
    """When its lease ends, and not before."""
    Semaphore(engine, "x", 1, ttl=10, renew=False).acquire()
    start = clock.time()
    (permit,) = run_threads(clock, Semaphore(engine, "x", 1).acquire)
    assert (permit.slot, clock.time() - start) == (0, 10)


def test_permits_come_in_the_order_of_arrival(engine, clock):
    """Ten wait for two."""
    order, inside = [], []

    def work(at):
        clock.sleep(at)
        with Semaphore(engine, "x", 2) as permit:
            order.append(at)
            inside.append(permit.slot)
            assert len(inside) == len(set(inside)) <= 2
            clock.sleep(20)
            inside.remove(permit.slot)

    run_threads(clock, *(lambda n=n: work(n) for n in range(10)))
    assert order == list(range(10))


def test_several_locks_or_none(engine):
    """All are held, each with its token; where one is taken, none is."""
    lock = MultiLock(engine, ["b", "a", "c"])
    taken = FencedLock(engine, "c").acquire()
    assert lock.try_acquire() is None
    assert FencedLock(engine, "a").try_acquire().release()
    taken.release()
    with lock as held:
        assert list(held) == ["a", "b", "c"]
        assert len({one.token for one in held.values()}) == 3
        assert FencedLock(engine, "b").try_acquire() is None
        held.check(at_least=5)
    assert all(FencedLock(engine, name).try_acquire() for name in "abc")


def test_several_locks_are_given_back_when_one_is_not_free_in_time(engine, clock):
    """The timeout is for all of them together."""
    FencedLock(engine, "b", owner="other").acquire()
    with pytest.raises(TimeoutExceeded) as refused:
        run_threads(clock, lambda: MultiLock(engine, ["a", "b"]).acquire(timeout=7))
    assert str(refused.value) == "lock 'b' was not free within 7 s: 1 ahead, first of them 'other'"
    assert FencedLock(engine, "a").try_acquire() is not None


def test_no_two_wait_for_each_other(engine, clock):
    """Whatever the order in which they name them."""
    done = []

    def work(names):
        for _ in range(5):
            with MultiLock(engine, names):
                clock.sleep(1)
            done.append(names)

    run_threads(clock, *(lambda n=n: work(n) for n in (["a", "b", "c"], ["c", "b"], ["c", "a"], ["b", "a"])))
    assert len(done) == 20


def test_the_loss_of_one_of_several_is_the_loss_of_all(engine, kv, clock):
    """The check fails, the block ends with LockLost, and the others are given back; a task is cancelled."""

    def lose(held):
        kv.revoke(held["b"]._stand.lease)
        clock.advance(5)

    lock = MultiLock(engine, ["a", "b", "c"])
    with pytest.raises(LockLost, match=r"^lock 'b' is not held"), lock as held:  # noqa: PT012
        lose(held)
        with pytest.raises(LockLost, match=r"^lock 'b' is not held"):
            held.check()

    async def main():
        with pytest.raises(LockLost, match=r"^lock 'b' is not held"):  # noqa: PT012
            async with lock as held:
                asyncio.get_running_loop().call_soon(lose, held)
                await asyncio.Event().wait()
        assert asyncio.current_task().cancelling() == 0

    asyncio.run(main())
    assert kv.list().entries == ()


def test_several_at_once_in_tasks(engine, clock):
    """The async face holds and releases them too."""

    async def main():
        async with MultiLock(engine, ["a", "b"]) as held:
            await asyncio.sleep(100)
            assert held.held
        assert FencedLock(engine, "a").owners() == ()
        async with Semaphore(engine, "s", 2) as one, Semaphore(engine, "s", 2) as two:
            assert (one.slot, two.slot) == (0, 1)
        async with ReadWriteLock(engine, "rw").writer as writing:
            assert writing.token

    run(main(), clock)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda e: Semaphore(e, "x", 0), "permits must be a whole number from 1 to 10,000, got 0"),
        (lambda e: MultiLock(e, []), "names must be 1 to 1,000 different names, got []"),
        (lambda e: MultiLock(e, "ab"), "names must be 1 to 1,000 different names, got 'ab'"),
        (lambda e: MultiLock(e, ["a", "a"]), "names must be 1 to 1,000 different names, got ['a', 'a']"),
    ],
)
def test_what_can_never_work_is_told(engine, make, message):
    """The message names the argument, the value and the range."""
    with pytest.raises(ConfigError) as refused:
        make(engine)
    assert str(refused.value) == message
