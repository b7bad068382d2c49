"""Threads that are stuck, and threads that wait for each other."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seawall.clock import ManualClock
from seawall.monitor.recovery import Condition, Readings, Recovery, RecoveryEvent, Rule, dump_stacks
from seawall.monitor.suspicion import StuckThreads, deadlocks, stacks_text

FIRST, SECOND = threading.Lock(), threading.Lock()


class Account:
    """What two threads lock in opposite order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def transfer(here: Account, there: Account, both: threading.Barrier) -> None:
    """Locks its own account, then the other one."""
    with here.lock:
        both.wait()
        with there.lock:
            raise AssertionError("a deadlock would have been avoided")


def stands(target: Callable[..., object], *args: object, name: str = "stands") -> threading.Thread:
    """A daemon thread; a deadlocked one can never be ended."""
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def look_until(threads: StuckThreads, clock: ManualClock, found: Callable[..., bool]) -> tuple:
    """What is stuck, once the threads have come to stand."""
    for _ in range(10_000):
        clock.advance(100)
        stuck = threads.look()
        if found(stuck):
            return stuck
        threading.Event().wait(0.001)
    raise AssertionError(f"never found: {stuck}")


def test_a_planted_deadlock_of_two_threads_is_found_with_both_stacks() -> None:
    """Each thread is told with its place, the lock that it waits for, and who holds that."""
    a, b, both = Account(), Account(), threading.Barrier(2)
    one = stands(transfer, a, b, both, name="pays")
    two = stands(transfer, b, a, both, name="is paid")
    clock = ManualClock()
    stuck = look_until(
        StuckThreads(after=60, clock=clock), clock, lambda s: {one.ident, two.ident} <= {t.ident for t in s if t.owner}
    )
    (found,) = [each for each in deadlocks(stuck) if {t.ident for t in each.threads} == {one.ident, two.ident}]
    assert {(thread.ident, thread.owner) for thread in found.threads} == {
        (one.ident, two.ident),
        (two.ident, one.ident),
    }
    text = str(found)
    assert text.startswith("2 threads wait for each other\n")
    assert text.count("with there.lock:") == 2
    assert text.count("waits for there.lock, which thread ") == 2


def test_a_deadlock_over_reentrant_locks_is_found_by_what_they_say_of_their_owner() -> None:
    """A reentrant lock that was acquired without `with` still names its owner."""
    a, b, both = threading.RLock(), threading.RLock(), threading.Barrier(2)

    def cross(mine: threading.RLock, other: threading.RLock) -> None:
        mine.acquire()
        both.wait()
        other.acquire()

    one, two = stands(cross, a, b), stands(cross, b, a)
    clock = ManualClock()
    stuck = look_until(
        StuckThreads(after=60, clock=clock), clock, lambda s: {one.ident, two.ident} <= {t.ident for t in s if t.owner}
    )
    found = [lock for lock in deadlocks(stuck) if {t.ident for t in lock.threads} == {one.ident, two.ident}]
    assert len(found) == 1
    assert {thread.waits_for for thread in found[0].threads} == {"other"}


def test_a_thread_that_waits_for_a_held_lock_is_stuck_but_no_deadlock() -> None:
    """One that holds a lock and works is waited for; there is no circle."""
    with holding() as held:
        waiter = stands(lambda: enter(held), name="waits")
        clock = ManualClock()
        threads = StuckThreads(after=60, clock=clock)
        stuck = look_until(threads, clock, lambda s: any(t.ident == waiter.ident and t.owner for t in s))
        mine = next(thread for thread in stuck if thread.ident == waiter.ident)
        assert mine.waits_for == "account.lock"
        assert [lock for lock in deadlocks(stuck) if waiter.ident in {t.ident for t in lock.threads}] == []
    waiter.join()


def test_a_thread_that_waits_for_work_is_not_stuck() -> None:
    """Reading a queue, and sleeping in a loop, are no suspicion."""
    work: queue.Queue[None] = queue.Queue()
    idle = stands(work.get, name="idle")
    clock = ManualClock()
    threads = StuckThreads(after=60, clock=clock)
    for _ in range(5):
        clock.advance(100)
        assert idle.ident not in {thread.ident for thread in threads.look()}
    work.put(None)
    idle.join()


def test_a_thread_must_stand_for_the_time_asked_for() -> None:
    """It is told from then on, and not before."""
    with holding() as held:
        waiter = stands(lambda: enter(held))
        clock = ManualClock()
        threads = StuckThreads(after=60, clock=clock)
        mine = next(
            t
            for t in look_until(threads, clock, lambda s: waiter.ident in {t.ident for t in s})
            if t.ident == waiter.ident
        )
        assert mine.seconds >= 60
        fresh = StuckThreads(after=60, clock=clock)
        assert fresh.look() == ()
        clock.advance(59)
        assert waiter.ident not in {thread.ident for thread in fresh.look()}
        clock.advance(1)
        assert waiter.ident in {thread.ident for thread in fresh.look()}
    waiter.join()


def test_all_threads_are_in_the_dump_with_their_source() -> None:
    """Names, places and source lines of every thread."""
    with holding() as held:
        waiter = stands(lambda: enter(held), name="a waiter of mine")
        text = stacks_text()
        assert "Thread a waiter of mine (" in text
        assert "in test_all_threads_are_in_the_dump_with_their_source\n    text = stacks_text()" in text
    waiter.join()


def enter(account: Account) -> None:
    """Waits for an account, and leaves it again."""
    with account.lock:
        pass


@contextmanager
def holding() -> Iterator[Account]:
    """An account whose lock another thread holds while the block runs."""
    account, held, leave = Account(), threading.Event(), threading.Event()

    def hold() -> None:
        with account.lock:
            held.set()
            leave.wait()

    holder = stands(hold, name="holds")
    held.wait()
    try:
        yield account
    finally:
        leave.set()
        holder.join()


@pytest.mark.parametrize("after", [0, -1])
def test_a_time_that_can_never_work_is_refused(after: float) -> None:
    """The message names the option, the value and the range."""
    with pytest.raises(
        Exception, match=f"^after must be above 0 to 86400 s, got {after}; seen at the same place for so long$"
    ):
        StuckThreads(after=after)


def test_a_deadlock_is_a_condition_upon_which_the_stacks_are_written_down(tmp_path: Path) -> None:
    """From the planted deadlock to the file, through the engine of recovery."""
    a, b, both = Account(), Account(), threading.Barrier(2)
    pair = {stands(transfer, a, b, both).ident, stands(transfer, b, a, both).ident}
    clock = ManualClock()
    threads = StuckThreads(after=60, clock=clock)

    def locked(_readings: Readings, _held: bool) -> bool:
        return any(pair == {thread.ident for thread in each.threads} for each in deadlocks(threads.look()))

    rule = Rule("deadlock", Condition("two threads wait for each other", locked), [dump_stacks(tmp_path, timeout=1e6)])
    recovery = Recovery([rule], clock=clock)
    told: list[RecoveryEvent] = []
    for _ in range(10_000):
        clock.advance(100)
        told += recovery.evaluate()
        if any(event.kind == "done" for event in told):
            break
        threading.Event().wait(0.001)
    assert [event.kind for event in told] == ["began", "started", "done"]
    text = Path(told[-1].detail).read_text()
    assert all(f"({ident}), most recent call last" in text for ident in pair)
    assert text.count("with there.lock:") >= 2


@pytest.mark.parametrize("kind", ["accept", "loop"])
def test_a_server_that_nobody_calls_is_not_stuck(kind: str) -> None:
    """A thread that accepts, and a loop that has nothing to do."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        listening.accept()[0].close()

    loop = asyncio.new_event_loop()
    idle = stands(accept if kind == "accept" else loop.run_forever)
    clock = ManualClock()
    threads = StuckThreads(after=60, clock=clock)
    for _ in range(5):
        clock.advance(100)
        assert idle.ident not in {thread.ident for thread in threads.look()}
        threading.Event().wait(0.001)
    with socket.create_connection(listening.getsockname()):
        if kind == "loop":
            loop.call_soon_threadsafe(loop.stop)
        idle.join()
    loop.close()
    listening.close()
