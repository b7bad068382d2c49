"""A clock that a test moves."""

import asyncio
import pickle
import re
import threading
from datetime import timedelta

import pytest
from tests.parking import ParkingClock, Queue, settle

from seawall.clock import AsyncBell, Bell, ManualClock
from seawall.errors import ConfigError


def test_it_stands_until_it_is_moved():
    """Time is where it was put, in seconds and in nanoseconds."""
    clock = ManualClock()
    assert (clock.time(), clock.now_ns()) == (0.0, 0)
    clock.advance(1.5)
    clock.advance(timedelta(milliseconds=1))
    clock.advance(0)
    assert (clock.time(), clock.now_ns()) == (1.501, 1_501_000_000)


def test_it_may_start_anywhere():
    """Start is where it stands at first."""
    assert ManualClock(100).now_ns() == 100_000_000_000
    assert ManualClock(timedelta(hours=1)).time() == 3600.0


def test_seconds_are_what_their_decimals_say():
    """A tenth of a second ten times is one second, to the nanosecond."""
    clock = ManualClock()
    for _ in range(10):
        clock.advance(0.1)
    assert clock.now_ns() == 1_000_000_000


def test_it_steps_back_but_not_before_its_beginning():
    """A clock that goes wrong stops at zero."""
    clock = ManualClock(10)
    clock.step_back(3)
    assert clock.time() == 7.0
    clock.step_back(timedelta(days=1))
    assert clock.time() == 0.0


@pytest.mark.parametrize("move", ["advance", "step_back"])
@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (-1, "seconds must be 0 s to 2.8823e+08 s, got -1"),
        (float("nan"), "seconds must be 0 s to 2.8823e+08 s, got nan"),
        ("1", "seconds must be seconds (a number) or a timedelta, got '1'"),
    ],
)
def test_a_step_of_no_meaning_moves_nothing(move, seconds, message):
    """A step is a length of time."""
    clock = ManualClock(5)
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        getattr(clock, move)(seconds)
    assert clock.time() == 5.0


def test_a_start_of_no_meaning():
    """A clock cannot start before zero."""
    with pytest.raises(ConfigError, match=r"^start must be 0 s to 2\.8823e\+08 s, got -1$"):
        ManualClock(-1)


def test_threads_are_woken_when_their_time_has_come():
    """A sleeping thread goes on when the clock is moved to its time or past it, in the order of times."""
    clock = ParkingClock()
    queue = Queue(clock)
    for seconds in (3, 1, 2):
        queue.join(seconds, clock.sleep, seconds)
    clock.advance(1)
    assert queue.next() == (1, 1.0)
    assert not queue.has_next()
    clock.advance(1)
    assert queue.next() == (2, 2.0)
    clock.advance(10)
    assert queue.next() == (3, 12.0)
    queue.close()
    assert clock.waiting == 0


async def test_tasks_are_woken_when_their_time_has_come():
    """A sleeping task goes on at its time and not a nanosecond before."""
    clock = ManualClock()
    task = asyncio.ensure_future(clock.sleep_async(1))
    await settle()
    assert clock.waiting == 1
    clock.set_ns(999_999_999)
    clock.advance(0)
    await settle()
    assert not task.done()
    clock.advance(1e-9)
    await task
    assert clock.waiting == 0


async def test_a_cancelled_task_waits_no_more():
    """A timer goes with its sleeper."""
    clock = ManualClock()
    task = asyncio.ensure_future(clock.sleep_async(1))
    await settle()
    task.cancel()
    await settle()
    assert task.cancelled()
    assert clock.waiting == 0


def test_a_bell_wakes_before_the_time():
    """Park returns when the bell is rung by somebody else."""
    clock = ManualClock()
    bell = Bell()
    bell.ring()
    clock.park(bell, 10**18)
    assert clock.waiting == 0
    assert not bell.is_set()


async def test_an_async_bell_wakes_from_another_thread():
    """A task's bell may be rung from any thread."""
    clock = ManualClock()
    bell = AsyncBell()
    task = asyncio.ensure_future(clock.park_async(bell, 10**18))
    await settle()
    thread = threading.Thread(target=bell.ring)
    thread.start()
    await task
    thread.join()


def test_sleeping_until_now_takes_no_time():
    """A sleep of nothing returns at once."""
    ManualClock().sleep(0)


def test_autojump_takes_a_thread_straight_to_its_time():
    """An hour of waiting takes none."""
    clock = ManualClock(autojump=True)
    clock.sleep(3600)
    clock.sleep(timedelta(days=1))
    assert clock.time() == 3600.0 + 86_400.0


async def test_autojump_takes_tasks_from_time_to_time_in_order():
    """With many sleepers the clock jumps to each of their times, and everybody acts before the next jump."""
    clock = ManualClock(autojump=True)
    seen = []

    async def sleeper(name, *naps):
        for nap in naps:
            await clock.sleep_async(nap)
            seen.append((name, clock.time()))

    await asyncio.gather(sleeper("a", 1, 1, 1), sleeper("b", 1.5), sleeper("c", 2.5, 0.1))
    assert seen == [("a", 1.0), ("b", 1.5), ("a", 2.0), ("c", 2.5), ("c", 2.6), ("a", 3.0)]


async def test_autojump_waits_for_those_who_are_busy():
    """Tasks that work through many rounds of the loop without waiting see the time stand."""
    clock = ManualClock(autojump=True)

    async def busy():
        for _ in range(5):
            await asyncio.sleep(0)
        return clock.time()

    _, seen = await asyncio.gather(clock.sleep_async(10), busy())
    assert seen == 0.0


def test_it_shows_where_it_stands():
    """Repr says the time."""
    clock = ManualClock(1.5)
    assert repr(clock) == "ManualClock(1.5)"


def test_it_cannot_be_pickled():
    """A copy would not be moved with it."""
    message = "a ManualClock cannot be pickled: a copy would stand still when this one is moved"
    with pytest.raises(TypeError, match=f"^{message}$"):
        pickle.dumps(ManualClock())


def test_calls_are_made_at_their_time_by_whoever_moves_the_clock():
    """In order, also those that a call asks for; a cancelled one is not made."""
    clock, made = ManualClock(), []

    def again():
        made.append(clock.time())
        if len(made) < 3:
            clock.call_when(clock.now_ns() + 2_000_000_000, again)

    clock.call_when(2_000_000_000, again)
    clock.call_when(3_000_000_000, lambda: made.append("cancelled")).cancel()
    clock.advance(1)
    assert made == []
    clock.advance(10)
    assert (made, clock.time()) == ([2, 4, 6], 11)


def test_nobody_waits_for_a_call():
    """The clock does not jump to it, and makes it on the way to who waits."""
    clock, made = ManualClock(autojump=True), []
    clock.call_when(1_000_000_000, lambda: made.append(clock.time()))
    assert (clock.waiting, clock.next_ns, clock.jump()) == (0, None, False)
    clock.sleep(5)
    assert (made, clock.time()) == ([1], 5)
