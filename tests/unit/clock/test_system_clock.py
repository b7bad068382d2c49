"""The machine's clock."""

import asyncio
import os
import pickle
import subprocess
import sys
import threading

import pytest

from seawall.clock import AsyncBell, Bell, Clock, SystemClock


def test_it_never_goes_back():
    """Readings of one thread only rise, for any object."""
    clocks = [SystemClock(), SystemClock()]
    readings = [clocks[i % 2].now_ns() for i in range(10_000)]
    assert readings == sorted(readings)


def test_threads_read_one_time():
    """A reading handed to another thread is never in its future."""
    clock = SystemClock()
    last = [0]
    lock = threading.Lock()
    wrong = []

    def body():
        for _ in range(5_000):
            with lock:
                now = clock.now_ns()
                if now < last[0]:
                    wrong.append((last[0], now))
                last[0] = now

    threads = [threading.Thread(target=body) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("choice", ["", "system"])
def test_processes_read_one_time_however_it_is_read(choice):
    """A child's reading lies between the parent's before and after, through the counter and through the system."""
    clock = SystemClock()
    before = clock.now_ns()
    code = "from seawall.clock import SystemClock; print(SystemClock().now_ns())"
    environment = {**os.environ, "SEAWALL_CLOCK": choice} if choice else dict(os.environ)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert before < int(told.stdout) < clock.now_ns()


def test_a_thread_sleeps_until_its_time():
    """Sleep returns when the time has come, and at once for nothing."""
    clock = SystemClock()
    clock.sleep(0)
    before = clock.now_ns()
    clock.sleep(0.001)
    assert clock.now_ns() - before >= 1_000_000


async def test_a_task_sleeps_until_its_time():
    """sleep_async returns when the time has come, and at once for nothing."""
    clock = SystemClock()
    await clock.sleep_async(0)
    before = clock.now_ns()
    await clock.sleep_async(0.001)
    assert clock.now_ns() - before >= 1_000_000


def test_a_bell_ends_a_sleep_of_years():
    """Park returns when another thread rings, and the bell can be used again."""
    clock, bell = SystemClock(), Bell()
    thread = threading.Thread(target=bell.ring)
    thread.start()
    clock.park(bell, clock.now_ns() + 10**17)
    thread.join()
    assert not bell.is_set()


async def test_an_async_bell_ends_a_sleep_of_years():
    """park_async returns when another thread rings, and leaves no timer."""
    clock, bell = SystemClock(), AsyncBell()
    thread = threading.Thread(target=bell.ring)
    thread.start()
    await clock.park_async(bell, clock.now_ns() + 10**17)
    thread.join()
    assert [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()] == []


async def test_a_bell_rung_twice_wakes_once():
    """Rings before the sleeper wakes count as one."""
    bell = AsyncBell()
    bell.ring_here()
    bell.ring_here()
    await bell.rung()
    waiting = asyncio.ensure_future(bell.rung())
    await asyncio.sleep(0)
    assert not waiting.done()
    bell.ring_here()
    await waiting


def test_it_shows_and_pickles_as_itself():
    """A pickled SystemClock reads the same time."""
    assert repr(SystemClock()) == "SystemClock()"
    other = pickle.loads(pickle.dumps(SystemClock()))
    assert SystemClock().now_ns() <= other.now_ns() <= SystemClock().now_ns()


def test_a_clock_of_ones_own_must_say_how_to_wait():
    """The base class reads the time but cannot wait."""

    class Mine(Clock):
        pass

    assert Mine().now_ns() > 0
    with pytest.raises(NotImplementedError, match=r"^Mine must say how to wait; use SystemClock or ManualClock$"):
        Mine().sleep(1)
