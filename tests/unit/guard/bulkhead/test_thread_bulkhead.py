"""A bulkhead with threads of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable

import pytest

import seawall as sw
from seawall.clock import ManualClock

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def until(holds: Callable[[], bool]) -> None:
    """Let other threads run until it holds."""
    while not holds():
        pass


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_calls_run_in_other_threads_with_the_callers_context() -> None:
    """The thread is another, context variables are the caller's, and results and errors come back."""
    WHO.set("me")
    with sw.ThreadBulkhead(1) as threads:
        seen, who = threads.call(lambda: (threading.get_ident(), WHO.get()))
        assert seen != threading.get_ident()
        assert who == "me"
        with pytest.raises(ZeroDivisionError):
            threads.call(lambda: 1 / 0)
        assert threads.stats().in_flight == 0


async def test_a_plain_function_becomes_a_coroutine_function() -> None:
    """Awaited calls leave the loop free while they run."""
    async with sw.ThreadBulkhead(2) as threads:
        go = threading.Event()

        @threads.awaitable
        def work(n: int, *, times: int = 1) -> int:
            go.wait()
            return n * times

        task = asyncio.create_task(work(3, times=2))
        await settle()
        assert threads.stats().in_flight == 1
        go.set()
        assert await task == 6
        assert await threads.call_async(sum, [1, 2]) == 3
        assert asyncio.iscoroutinefunction(work)
        assert work.__name__ == "work"


async def test_cancelling_a_call_in_line_removes_the_work() -> None:
    """What was never begun is never done, and the line is empty."""
    async with sw.ThreadBulkhead(1, max_queue=1) as threads:
        go, ran = threading.Event(), []
        first = asyncio.create_task(threads.call_async(go.wait))
        await settle()
        second = asyncio.create_task(threads.call_async(ran.append, 1))
        await settle()
        assert threads.stats().queued == 1
        second.cancel()
        await settle()
        assert threads.stats().queued == 0
        go.set()
        await first
        assert ran == []


async def test_work_that_outlives_its_caller_keeps_its_place() -> None:
    """A running call that is cancelled holds its thread, so it holds its place, until it ends."""
    async with sw.ThreadBulkhead(1) as threads:
        go, began, ended = threading.Event(), threading.Event(), threading.Event()

        def work() -> None:
            began.set()
            go.wait()

        task = asyncio.create_task(threads.call_async(work))
        await settle()
        began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert threads.stats().in_flight == 1
        with pytest.raises(sw.BulkheadFull):
            await threads.call_async(ended.set)
        go.set()
        await asyncio.to_thread(until, lambda: threads.stats().in_flight == 0)
        await threads.call_async(ended.set)
        assert ended.is_set()


def test_a_timeout_outside_ends_the_wait_in_time() -> None:
    """The caller gets TimeoutExceeded when its time is up; the work keeps its place until it ends."""
    clock = ManualClock()
    go, began = threading.Event(), threading.Event()
    with sw.ThreadBulkhead(1, clock=clock) as threads:

        def work() -> None:
            began.set()
            clock.advance(2)
            go.wait()

        guarded = sw.Timeout(2, clock=clock)(threads(work))
        with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 2 s$"):
            guarded()
        assert threads.stats().in_flight == 1
        go.set()
    assert threads.stats().in_flight == 0


def test_a_closed_one_takes_no_more_calls() -> None:
    """After close, which may be repeated, a call says so and takes no place."""
    threads = sw.ThreadBulkhead(1, name="io")
    threads.close()
    threads.close()
    with pytest.raises(RuntimeError, match=r"^io is closed$"):
        threads.call(print)
    assert threads.stats().in_flight == 0


def test_coroutine_functions_and_generators_are_refused() -> None:
    """They belong into a loop, not into a thread."""
    threads = sw.ThreadBulkhead(1)

    async def work() -> None: ...

    with pytest.raises(sw.ConfigError) as caught:
        threads(work)
    assert str(caught.value) == (
        f"a ThreadBulkhead runs plain functions in threads, got {work!r}; "
        "guard coroutines and generators with a Bulkhead"
    )


def test_no_thread_starts_before_the_first_call_and_none_too_many() -> None:
    """Threads are started when needed, and never more than were asked for."""
    before = threading.active_count()
    with sw.ThreadBulkhead(2, max_queue=100) as threads:
        assert threading.active_count() == before
        seen: set[int] = set()
        guarded = threads(lambda: seen.add(threading.get_ident()))
        callers = [threading.Thread(target=guarded) for _ in range(20)]
        for one in callers:
            one.start()
        for one in callers:
            one.join()
        assert len(seen) <= 2
        assert threads.stats().admitted == 20
    assert threading.active_count() == before


def test_more_places_than_threads_are_refused() -> None:
    """The number of threads is fixed when they are made."""
    threads = sw.ThreadBulkhead(2)
    with pytest.raises(sw.ConfigError, match=r"^max_concurrent must be 1 to 2, the number of threads, got 3$"):
        threads.reconfigure(max_concurrent=3)
    threads.reconfigure(max_concurrent=1)
    assert threads.stats().max_concurrent == 1
