"""The loop whose time is a ManualClock's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.testing import ManualEventLoop, run


def test_asyncio_sleeps_on_the_clock() -> None:
    """An hour of asyncio.sleep takes no time, and the clock has moved by exactly that."""
    clock = ManualClock(100)
    run(asyncio.sleep(3600), clock)
    assert clock.time() == 3700


def test_timers_of_asyncio_and_of_seawall_come_in_the_order_of_their_times() -> None:
    """One time for user code, for limits and for retries."""
    clock, order = ManualClock(), []
    limit = sw.LeakyBucket(1, per=2.0, capacity=10, clock=clock)
    retry = sw.Retry(2, backoff=3.0, jitter="none", clock=clock)

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((clock.time(), f"slept {seconds}"))

    async def limited() -> None:
        await limit.acquire_async()
        await limit.acquire_async()
        order.append((clock.time(), "limited"))

    async def retried() -> None:
        failures = [TimeoutError()]

        async def callee() -> None:
            if failures:
                raise failures.pop()

        await retry.call_async(callee)
        order.append((clock.time(), "retried"))

    async def main() -> None:
        await asyncio.gather(sleeper(1.0), limited(), sleeper(2.5), retried(), sleeper(3.5))

    run(main(), clock)
    assert order == [(1, "slept 1.0"), (2, "limited"), (2.5, "slept 2.5"), (3, "retried"), (3.5, "slept 3.5")]


def test_timeouts_follow_the_clock() -> None:
    """asyncio.timeout and wait_for end when the clock says so."""
    clock, ends = ManualClock(), []

    async def main() -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(60)
        except TimeoutError:
            ends.append(clock.time())
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 7)
        except TimeoutError:
            ends.append(clock.time())

    run(main(), clock)
    assert ends == [5, 12]


@pytest.mark.parametrize("start", [0.0, 0.1, 12345.678, 1e8 + 0.1])
def test_many_odd_sleeps_neither_hang_nor_drift(start: float) -> None:
    """Rounding between float seconds and nanoseconds never costs a timer more than the float's own step."""
    clock = ManualClock(start)

    async def main() -> None:
        for _ in range(1000):
            await asyncio.sleep(0.1)

    run(main(), clock)
    assert clock.time() - start == pytest.approx(100, abs=1e-4 if start > 1e6 else 1e-6)


def test_a_timer_beyond_a_day_is_reached() -> None:
    """Asyncio looks at most a day ahead at a time."""
    clock = ManualClock()
    run(asyncio.sleep(10 * 86_400), clock)
    assert clock.time() == 10 * 86_400


def test_threads_of_the_loop_sleep_on_the_clock_together_with_its_tasks() -> None:
    """to_thread functions are waited for until they sleep, and wake in the order of time."""
    clock, order = ManualClock(), []

    def blocking(seconds: float) -> None:
        clock.sleep(seconds)
        order.append((clock.time(), f"thread {seconds}"))
        clock.sleep(2.0)
        order.append((clock.time(), f"thread {seconds} again"))

    async def task(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((clock.time(), f"task {seconds}"))

    async def main() -> None:
        await asyncio.gather(asyncio.to_thread(blocking, 1.0), task(1.5), asyncio.to_thread(blocking, 2.0), task(3.5))

    run(main(), clock)
    assert order == [
        (1, "thread 1.0"),
        (1.5, "task 1.5"),
        (2, "thread 2.0"),
        (3, "thread 1.0 again"),
        (3.5, "task 3.5"),
        (4, "thread 2.0 again"),
    ]


def test_time_does_not_pass_while_a_thread_works() -> None:
    """A timeout around work in a thread does not strike only because the loop had nothing to do."""
    clock, gate = ManualClock(), threading.Event()

    async def main() -> str:
        async with asyncio.timeout(1):
            work = asyncio.ensure_future(asyncio.to_thread(gate.wait, 10))
            await asyncio.to_thread(gate.set)
            await work
            return "worked"

    assert run(main(), clock) == "worked"
    assert clock.time() == 0


DEADLOCK = """
import asyncio
from seawall.testing import run

async def main():
    await asyncio.get_running_loop().create_future()

run(main())
"""


def test_a_deadlock_is_an_error_instead_of_a_hang() -> None:
    """Nobody is left to wake the task: that is said at once; in a process in which no other test has left a thread."""
    done = subprocess.run([sys.executable, "-c", DEADLOCK], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "RuntimeError: deadlock: every task waits for something that neither the clock nor another thread will bring"
    )


def test_a_thread_that_is_stuck_is_an_error_after_some_patience() -> None:
    """A thread that waits for the loop, while the loop waits for it, is named."""
    clock, gate = ManualClock(), threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().call_later(5, gate.set)
        await asyncio.to_thread(gate.wait, 10)

    loop = ManualEventLoop(clock, patience=0.05)
    with pytest.raises(RuntimeError) as caught:
        loop.run_until_complete(main())
    gate.set()
    loop.run_until_complete(loop.shutdown_default_executor())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert str(caught.value) == (
        "a thread of this loop neither ended nor slept on the clock for 0.05 s of real time; "
        "in threads, sleep with clock.sleep(), or give the loop more patience"
    )


def test_a_cancelled_thread_is_waited_for_at_the_end() -> None:
    """What sleeps in a thread when the loop closes wakes up first; nothing is left behind."""
    clock, ended = ManualClock(), []

    def blocking() -> None:
        clock.sleep(3600)
        ended.append(clock.time())

    async def main() -> None:
        work = asyncio.ensure_future(asyncio.to_thread(blocking))
        await asyncio.sleep(1)
        work.cancel()

    run(main(), clock)
    assert ended == [3600]


def test_sockets_of_one_loop_work_while_the_clock_stands() -> None:
    """Local traffic is ready before time passes."""
    clock = ManualClock()

    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await asyncio.sleep(30)
            writer.write(b"later\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"now\n")
            answer = await reader.read()
            writer.close()
        return answer

    assert run(main(), clock) == b"now\nlater\n"
    assert clock.time() == 30


def test_a_clock_has_one_driver() -> None:
    """Two loops would both move it."""
    clock = ManualClock()

    async def main() -> None:
        with pytest.raises(RuntimeError) as caught:
            ManualEventLoop(clock)
        assert str(caught.value) == (
            "this clock is driven by a loop or by run_threads already; give each its own clock"
        )

    run(main(), clock)
    run(asyncio.sleep(1), clock)
    assert clock.time() == 1


def test_autojump_rests_while_a_loop_drives_the_clock() -> None:
    """An autojump clock would jump over asyncio's own timers."""
    clock, order = ManualClock(autojump=True), []

    async def wait(seconds: float) -> None:
        await clock.sleep_async(seconds)
        order.append(seconds)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(seconds)

    async def main() -> None:
        await asyncio.gather(wait(2.0), sleep(1.0), wait(4.0), sleep(3.0))

    run(main(), clock)
    assert order == [1.0, 2.0, 3.0, 4.0]


def test_a_task_that_blocks_its_loop_moves_the_clock_itself() -> None:
    """clock.sleep in a coroutine blocks every task for that time, as it would in earnest, and does not hang."""
    clock, order = ManualClock(), []

    async def task() -> None:
        await clock.sleep_async(1)
        order.append(clock.time())

    async def main() -> None:
        other = asyncio.create_task(task())
        await asyncio.sleep(0)
        clock.sleep(5)
        order.append(clock.time())
        await other

    run(main(), clock)
    assert order == [5, 5]
