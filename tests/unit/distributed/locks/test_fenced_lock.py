"""One holder at a time, tokens that grow, and a holder who is told what it lost."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import threading
from datetime import timedelta

import pytest

from seawall.clock import Deadline
from seawall.distributed.locks import EfficiencyLock, FencedHeld, FencedLock, Held
from seawall.engines import open_engine
from seawall.errors import ConfigError, DeadlineExceeded, LeaseLost, LockLost, TimeoutExceeded
from seawall.testing import run, run_threads


def taken(engine, name="x", **options):
    """Somebody else holds it."""
    return FencedLock(engine, name, owner="other", **options).acquire()


def test_one_holds_until_it_releases(engine):
    """While one holds, nobody else does; afterwards the next token is greater."""
    mine, other = FencedLock(engine, "x"), FencedLock(engine, "x")
    held = mine.acquire()
    assert other.try_acquire() is None
    assert held.release() is True
    again = other.try_acquire()
    assert again.token > held.token
    assert (held.held, again.held) == (False, True)


def test_names_are_apart(engine):
    """Also names that begin alike, or have slashes."""
    names = ["a", "a/b", "a%2Fb", "a/", "b"]
    holds = [FencedLock(engine, name).try_acquire() for name in names]
    assert all(holds)
    assert len({held.token for held in holds}) == len(names)


def test_remaining_counts_from_before_the_grant_was_sent(engine, kv, clock, monkeypatch):
    """What the way to the engine took is not claimed."""
    enlist = kv._state.enlist

    def slow(*args):
        clock.advance(2)
        return enlist(*args[:-1], args[-1] + 2_000_000_000)

    monkeypatch.setattr(kv._state, "enlist", slow)
    held = FencedLock(kv, "x", ttl=10, renew=False).acquire()
    assert held.remaining() == 8
    clock.advance(8)
    assert held.remaining() == 0
    assert len(kv.list().entries) == 1


def test_a_renewed_lock_is_held_on(engine, clock):
    """Time passes, and it never has less than two thirds of its time."""
    with FencedLock(engine, "x", ttl=9) as held:
        for _ in range(50):
            clock.advance(1.7)
            assert held.remaining() >= 6
        clock.advance(3_600)
        assert held.held


def test_a_lock_that_is_not_renewed_ends(engine, clock):
    """`renew` gives it its full time again, until it came too late."""
    held = FencedLock(engine, "x", ttl=10, renew=False).acquire()
    clock.advance(9)
    assert held.renew() == 10
    clock.advance(9.5)
    assert held.remaining() == 0.5
    clock.advance(0.5)
    with pytest.raises(LockLost):
        held.renew()
    assert held.lost.is_set()
    assert held.release() is False


def test_check_says_what_is_missing(engine, clock):
    """It passes while there is time enough, and its error carries name and token."""
    held = FencedLock(engine, "orders", ttl=10, renew=False).acquire()
    held.check()
    held.check(at_least=timedelta(seconds=10))
    clock.advance(6)
    with pytest.raises(LockLost) as lost:
        held.check(at_least=5)
    assert str(lost.value) == ("lock 'orders' has 4 s left, 5 s are needed; renew it, or give it a longer ttl")
    clock.advance(4)
    with pytest.raises(LockLost) as lost:
        held.check()
    assert str(lost.value) == (
        "lock 'orders' is not held: its 10 s have passed without a sign of life; stop, another may hold it"
    )
    assert (lost.value.name, lost.value.token) == ("orders", held.token)
    assert isinstance(lost.value, LeaseLost)


def test_the_error_travels(engine):
    """It pickles and copies with name and token."""
    error = LockLost("gone", name="x", token=7)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), str(other), other.name, other.token) == (LockLost, "gone", "x", 7)


def test_a_lease_ended_by_the_engine_is_told_at_the_next_sign_of_life(engine, kv, clock):
    """The event is set, and the block ends with LockLost."""
    lock = FencedLock(engine, "x", ttl=9)
    with pytest.raises(LockLost) as lost, lock as held:  # noqa: PT012 - it is the end of the block that raises
        kv.revoke(held._stand.lease)
        assert not held.lost.is_set()
        clock.advance(3)
        assert held.lost.is_set()
    assert str(lost.value) == ("lock 'x' is not held: the engine has ended its lease; stop, another may hold it")


def test_a_lock_lost_unseen_is_told_at_the_end_of_the_block(engine, kv, clock):
    """The block came to its end, but was not protected all the time."""
    with pytest.raises(LockLost), FencedLock(engine, "x", renew=False) as held:
        kv.revoke(held._stand.lease)


def test_an_error_of_the_block_is_not_hidden(engine, kv):
    """It comes out, with a note that the lock was lost besides."""
    with pytest.raises(ValueError, match=r"^mine") as caught, FencedLock(engine, "x") as held:  # noqa: PT012
        kv.revoke(held._stand.lease)
        raise ValueError("mine")
    assert caught.value.__notes__ == ["lock 'x' was lost meanwhile"]


def test_an_engine_that_stays_away_costs_the_lock_at_its_end(engine, kv, clock, monkeypatch):
    """Renewal is tried again and again; when the time is over it is lost, though the engine says nothing."""
    held = FencedLock(engine, "x", ttl=10).acquire()
    tries = []

    def away(*args):
        tries.append(clock.time())
        raise OSError("away")

    monkeypatch.setattr(kv._state, "keep_alive", away)
    clock.advance(9.9)
    assert held.remaining() == pytest.approx(0.1)
    assert len(tries) > 5
    clock.advance(0.1)
    assert held.lost.is_set()
    with pytest.raises(LockLost, match="it could not be renewed within its 10 s; stop, another may hold it"):
        held.check()


def test_waiters_come_in_the_order_of_their_arrival(engine, clock):
    """And each has a greater token than the one before."""
    order = []
    first = taken(engine)

    def wait(number):
        clock.sleep(number)
        with FencedLock(engine, "x", owner=f"w{number}") as held:
            order.append((number, held.token))
            clock.sleep(5)

    def release():
        clock.sleep(60)
        first.release()

    run_threads(clock, release, *(lambda n=n: wait(n) for n in (3, 1, 2)))
    assert [number for number, _ in order] == [1, 2, 3]
    assert [token for _, token in order] == sorted(token for _, token in order)


def test_nobody_overtakes_who_waits(engine, clock):
    """A try finds the lock taken as long as somebody stands in line, though nobody holds it."""
    first = taken(engine)

    def wait():
        return FencedLock(engine, "x").acquire().token

    def try_often():
        clock.sleep(1)
        first.release()
        return FencedLock(engine, "x").try_acquire()

    token, tried = run_threads(clock, wait, try_often)
    assert token > first.token
    assert tried is None


def test_a_waiter_keeps_its_place_alive(engine, clock):
    """It waits for many times its ttl, and is not passed over."""
    first = taken(engine, ttl=10)

    def wait():
        return FencedLock(engine, "x", ttl=1).acquire().remaining()

    def release():
        clock.sleep(100)
        first.release()

    assert run_threads(clock, wait, release)[0] > 0.6


def test_who_dies_is_passed_over_when_its_lease_ends(engine, clock):
    """A holder and a waiter that give no sign of life vanish."""
    FencedLock(engine, "x", ttl=10, renew=False).acquire()
    dead = FencedLock(engine, "x", ttl=20)._place()
    engine.key_value("locks").enlist(dead.key, b"dead", ttl=20, behind=dead.behind)
    start = clock.time()
    held = run_threads(clock, FencedLock(engine, "x").acquire)[0]
    assert clock.time() - start == 20
    assert held.held


def test_a_waiter_that_was_paused_beyond_its_lease_goes_to_the_end(engine, kv, clock):
    """Its place is gone; it does not believe to be first."""
    first, lock = taken(engine, ttl=1_000), FencedLock(engine, "x", owner="paused")

    def pause():
        clock.sleep(1)
        (_, mine) = kv.list().entries if kv.list().entries[0].value == b"other" else reversed(kv.list().entries)
        kv.revoke(mine.lease)
        late = kv.enlist("lock/x/late", b"late", ttl=1_000, behind="lock/x/")
        clock.sleep(5)
        assert lock.owners() == ("other", "late", "paused")
        first.release()
        clock.sleep(5)
        assert lock.owners() == ("late", "paused")
        kv.revoke(late.lease)

    held, _ = run_threads(clock, lock.acquire, pause)
    assert held.held


def test_a_timeout_says_who_was_ahead(engine, clock):
    """And leaves the line."""
    taken(engine)
    start = clock.time()
    with pytest.raises(TimeoutExceeded) as refused:
        run_threads(clock, lambda: FencedLock(engine, "x").acquire(timeout=7))
    assert str(refused.value) == "lock 'x' was not free within 7 s: 1 ahead, first of them 'other'"
    assert (refused.value.after, refused.value.policy) == (7, "x")
    assert clock.time() - start == 7
    assert FencedLock(engine, "x").owners() == ("other",)


def test_a_deadline_ends_the_wait(engine, clock):
    """If it is sooner than the timeout; the line is left though no time is left."""
    taken(engine)

    def wait():
        with Deadline(3, clock=clock):
            FencedLock(engine, "x").acquire(timeout=60)

    with pytest.raises(DeadlineExceeded):
        run_threads(clock, wait)
    assert clock.time() == 1_003
    assert FencedLock(engine, "x").owners() == ("other",)


def test_a_passed_deadline_does_not_keep_a_lock_from_being_released(engine, clock):
    """The block ends late, and gives the lock back."""
    with Deadline(3, clock=clock), FencedLock(engine, "x"):
        clock.advance(5)
    assert FencedLock(engine, "x").owners() == ()


def test_a_passed_deadline_does_not_keep_a_lock_from_being_renewed(engine, clock):
    """Whoever moves the clock may be late; the lock is not."""
    with FencedLock(engine, "x", ttl=9) as held, Deadline(3, clock=clock):
        clock.advance(60)
        assert held.remaining() >= 6


def test_a_re_entrant_lock_counts(engine):
    """The same thread holds it again with the same token, and the last release gives it back."""
    lock, other = FencedLock(engine, "x", reentrant=True), FencedLock(engine, "x")
    with lock as outer:
        with lock as inner:
            assert inner is outer
            assert lock.try_acquire() is outer
            assert outer.release() is True
        assert other.try_acquire() is None
    assert other.try_acquire() is not None


def test_another_thread_does_not_enter_with_it(engine, clock):
    """Re-entrant is for one thread or task."""
    lock = FencedLock(engine, "x", reentrant=True)
    got = []
    with lock:
        thread = threading.Thread(target=lambda: got.append(lock.try_acquire()))
        thread.start()
        thread.join()
    assert got == [None]


def test_waiting_for_oneself_is_told_at_once(engine):
    """Instead of for ever."""
    lock = FencedLock(engine, "x")
    with lock, pytest.raises(ConfigError) as refused:
        lock.acquire()
    assert str(refused.value) == (
        "lock 'x' is held by this thread already, which would wait for itself; release it first, or make the lock "
        "with reentrant=True"
    )


def test_a_released_lock_may_be_released_again(engine):
    """It answers the same, and a block may release early."""
    with FencedLock(engine, "x") as held:
        assert held.release() is True
        assert held.release() is True
        with pytest.raises(LockLost) as lost:
            held.check()
    assert str(lost.value) == "lock 'x' is not held: it was released; acquire it again"


# It is what the test is about; 3.12 warns of it.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_holds_nothing(engine):
    """What its parent holds is not the child's, and stays the parent's."""
    held = FencedLock(engine, "x").acquire()
    child = os.fork()
    if child == 0:
        try:
            held.check()
        except LockLost as lost:
            os._exit(0 if "forked child" in str(lost) and not held.release() else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    held.check()


def test_an_efficiency_lock_has_no_token(engine):
    """It excludes, and cannot fence."""
    with EfficiencyLock(engine, "x") as held:
        assert type(held) is Held
        assert not isinstance(held, FencedHeld)
        assert not hasattr(held, "token")
        assert FencedLock(engine, "x").try_acquire() is None
        assert repr(held) == "<Held 'x' for 10 s>"


def test_a_lost_lock_cancels_its_task(engine, kv, clock):
    """The block is cancelled and ends with LockLost; the task itself is not cancelled."""

    async def main():
        lock = FencedLock(engine, "x", ttl=9)
        with pytest.raises(LockLost):  # noqa: PT012
            async with lock as held:
                kv.revoke(held._stand.lease)
                asyncio.get_running_loop().call_soon(clock.advance, 3)
                await asyncio.Event().wait()
        assert asyncio.current_task().cancelling() == 0
        await asyncio.sleep(0)

    asyncio.run(main())


def test_without_renewal_the_end_cancels_too(engine, clock):
    """At its time, unless it was renewed by hand."""

    async def main():
        async with FencedLock(engine, "x", ttl=10, renew=False) as held:
            await asyncio.sleep(9)
            await held.renew_async()
            await asyncio.sleep(9)
        with pytest.raises(LockLost):
            async with FencedLock(engine, "x", ttl=10, renew=False):
                await asyncio.sleep(3_600)
        assert clock.time() == 1_028

    run(main(), clock)


def test_a_cancellation_from_elsewhere_stays_one(engine, kv, clock):
    """Both at once: the task was to be cancelled, and is; the lock is released."""
    started = asyncio.Event()

    async def work():
        async with FencedLock(engine, "x", ttl=9) as held:
            started.set()
            kv.revoke(held._stand.lease)
            await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(work())
        await started.wait()
        clock.advance(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_the_line(engine, clock):
    """Nobody waits behind it."""

    async def main():
        taken(engine)
        task = asyncio.create_task(FencedLock(engine, "x").acquire_async())
        await asyncio.sleep(1)
        assert len(FencedLock(engine, "x").owners()) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert FencedLock(engine, "x").owners() == ("other",)

    run(main(), clock)


def test_tasks_hold_for_themselves(engine, clock):
    """One object serves many tasks: one at a time, each with a greater token."""
    lock, tokens, inside = FencedLock(engine, "x", reentrant=True), [], []

    async def work():
        async with lock as held:
            inside.append(held)
            assert len(inside) == 1
            tokens.append(held.token)
            await asyncio.sleep(1)
            inside.remove(held)

    async def main():
        await asyncio.gather(*(work() for _ in range(5)))

    run(main(), clock)
    assert tokens == sorted(set(tokens))
    assert lock._holds == lock._blocks == {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda e: FencedLock(e, ""), "name must be printable text, got ''"),
        (
            lambda e: FencedLock(e, "x" * 500),
            "name must be at most 400 bytes in UTF-8 (a / counts three), got 506; use a hash of it",
        ),
        (lambda e: FencedLock(e, "x", ttl=0.05), "ttl must be 0.1 to 86,400 s, got 0.05; 10 is the default"),
        (lambda e: FencedLock(e, "x", owner=""), "owner must be text of 1 to 1,000,000 bytes in UTF-8, got ''"),
        (
            lambda e: FencedLock("redis://", "x"),
            "a lock is kept by an engine, or by its key_value(namespace), got 'redis://'; open_engine(url) opens one",
        ),
        (lambda e: FencedLock(e, "x").acquire(timeout=-1), "timeout must be 0 s to 2.8823e+08 s, got -1"),
    ],
)
def test_what_can_never_work_is_told(engine, make, message):
    """The message names the argument, the value and the range."""
    with pytest.raises(ConfigError) as refused:
        make(engine)
    assert str(refused.value) == message


def test_nothing_runs_before_something_is_held():
    """Constructors start no thread and connect to nothing."""
    before = threading.active_count()
    lock = FencedLock(open_engine("sqlite:////nowhere/at/all.db"), "x")
    assert threading.active_count() == before
    assert repr(lock) == "<FencedLock 'x' on sqlite:////nowhere/at/all.db, ttl 10 s>"


def test_a_manual_clock_needs_no_thread(engine):
    """Whoever moves it renews."""
    before = threading.active_count()
    with FencedLock(engine, "x"):
        assert threading.active_count() == before
