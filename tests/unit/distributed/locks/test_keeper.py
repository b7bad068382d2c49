"""Renewal in a thread of its own: no blocked loop and no other engine holds it up, and it ends with what it keeps."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from seawall.clock import SystemClock
from seawall.distributed.locks import FencedLock
from seawall.engines import open_engine
from seawall.errors import LockLost

CLOCK = SystemClock()


def until(condition):
    """Wait until something is so, for a minute at most."""
    end = CLOCK.now_ns() + 60_000_000_000
    while not condition():
        assert CLOCK.now_ns() < end
        CLOCK.sleep(0.01)


def keepers():
    """The threads that keep something."""
    return [thread for thread in threading.enumerate() if thread.name == "seawall-keeper"]


def ended(thread):
    """It has come to its end."""
    thread.join(60)
    return not thread.is_alive()


def test_a_blocked_loop_keeps_its_lock():
    """Signs of life come while the loop does nothing but be blocked."""

    async def main():
        async with FencedLock(open_engine("memory://"), "x", ttl=6) as held:
            first = held._stand.since_ns
            until(lambda: held._stand.since_ns > first)
            held.check()

    asyncio.run(main())


def test_a_loss_is_told_while_the_loop_is_blocked():
    """The event is set from the thread; the task is cancelled as soon as the loop runs again."""
    engine = open_engine("memory://")
    kv = engine.key_value("locks")

    async def main():
        with pytest.raises(LockLost):  # noqa: PT012
            async with FencedLock(engine, "x", ttl=0.6) as held:
                kv.revoke(held._stand.lease)
                until(held.lost.is_set)
                await asyncio.Event().wait()

    asyncio.run(main())


def test_one_thread_keeps_all_of_an_engine_and_ends():
    """It begins with the first, serves all, and ends when nothing is left."""
    before = keepers()
    engine = open_engine("memory://")
    holds = [FencedLock(engine, f"x{n}", ttl=0.9).acquire() for n in range(20)]
    (thread,) = [one for one in keepers() if one not in before]
    first = [held._stand.since_ns for held in holds]
    until(lambda: all(held._stand.since_ns > since for held, since in zip(holds, first, strict=True)))
    assert [held.release() for held in holds] == [True] * 20
    assert ended(thread)
    held = FencedLock(engine, "x", ttl=0.9).acquire()
    (again,) = [one for one in keepers() if one not in before]
    assert held.release()
    assert ended(again)


def test_a_lock_with_less_time_is_looked_after_in_time():
    """Though the thread slept for one that has an hour."""
    engine = open_engine("memory://")
    with FencedLock(engine, "slow", ttl=3_600), FencedLock(engine, "quick", ttl=3) as quick:
        first = quick._stand.since_ns
        until(lambda: quick._stand.since_ns > first)
        quick.check()


def test_an_engine_that_hangs_holds_up_no_other(monkeypatch):
    """Each engine has a thread of its own."""
    hanging, well = open_engine("memory://"), open_engine("memory://")
    release, hangs = threading.Event(), threading.Event()

    def hang(*args):
        hangs.set()
        assert release.wait(60)

    monkeypatch.setattr(hanging.key_value("locks")._state, "keep_alive", hang)
    FencedLock(hanging, "x", ttl=0.3).acquire()
    with FencedLock(well, "x", ttl=3) as held:
        assert hangs.wait(60)
        first = held._stand.since_ns
        until(lambda: held._stand.since_ns > first)
        release.set()


def test_an_engine_that_is_closed_takes_its_locks_with_it_and_no_others():
    """Who held learns it at the end of the lease, and the thread ends; the locks of another engine are renewed."""
    before = keepers()
    closed, well = open_engine("memory://"), open_engine("memory://")
    with FencedLock(well, "x", ttl=3) as other:
        held = FencedLock(closed, "x", ttl=0.6).acquire()
        threads = [one for one in keepers() if one not in before]
        assert len(threads) == 2
        closed.close()
        until(held.lost.is_set)
        first = other._stand.since_ns
        until(lambda: other._stand.since_ns > first)
        until(lambda: sum(one.is_alive() for one in threads) == 1)
    assert all(map(ended, threads))


# It is what the test is about; 3.12 warns of it.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_renews_what_it_acquires_itself():
    """With a thread of its own."""
    engine = open_engine("memory://")
    with FencedLock(engine, "parent", ttl=3_600):
        child = os.fork()
        if child == 0:
            try:
                with FencedLock(engine, "child", ttl=3) as held:
                    first = held._stand.since_ns
                    until(lambda: held._stand.since_ns > first)
            except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
                os._exit(1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
