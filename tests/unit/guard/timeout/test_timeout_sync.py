"""A timeout on plain functions: what can be ended, and the truth about what cannot."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

import seawall as sw
from seawall.clock import ManualClock

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_a_late_result_is_not_passed_off_as_in_time() -> None:
    """The work was done; its result is dropped and the error says how late it was."""
    clock = ManualClock()
    timeout = sw.Timeout(2, clock=clock)
    with pytest.raises(
        sw.TimeoutExceeded, match=r"^timeout: the answer came after 3 s, 2 s were given; it is dropped$"
    ) as caught:
        timeout.call(clock.advance, 3)
    assert caught.value.after == 2.0
    assert timeout.stats().timed_out == 1


def test_a_result_in_time_passes_and_the_deadline_is_gone() -> None:
    """Inside, the deadline is in force; afterwards it is not."""
    clock = ManualClock()

    @sw.Timeout(2, clock=clock)
    def work() -> float:
        clock.advance(1.5)
        deadline = sw.Deadline.current()
        assert deadline is not None
        return deadline.remaining()

    assert work() == 0.5
    assert sw.Deadline.current() is None


def test_code_that_checks_the_deadline_ends_in_time() -> None:
    """DeadlineExceeded from the timeout's own deadline becomes TimeoutExceeded."""
    clock = ManualClock()
    steps: list[int] = []

    @sw.Timeout(2, clock=clock)
    def work() -> None:
        for i in range(9):
            sw.Deadline.check()
            steps.append(i)
            clock.advance(0.5)

    with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 2 s$") as caught:
        work()
    assert steps == [0, 1, 2, 3]
    assert isinstance(caught.value.__cause__, sw.DeadlineExceeded)


def test_what_is_left_must_suffice() -> None:
    """A step that cannot be done in what is left is not begun."""
    clock = ManualClock()

    @sw.Timeout(2, clock=clock)
    def work() -> None:
        clock.advance(1)
        sw.Deadline.require(1)
        sw.Deadline.require(1.5)

    with pytest.raises(sw.DeadlineExceeded, match=r"^the deadline leaves 1 s, 1.5 s are needed$"):
        work()


def test_a_late_error_of_the_callee_is_passed_on() -> None:
    """It says more than that it came late."""
    clock = ManualClock()

    @sw.Timeout(1, clock=clock)
    def work() -> None:
        clock.advance(5)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        work()


def test_a_limit_inside_refuses_at_once_what_the_time_does_not_allow() -> None:
    """The wait for a limit would outlast the timeout: refused before it begins, and the error blames the deadline."""
    clock = ManualClock()
    limit = sw.TokenBucket(1, burst=1, clock=clock)
    limit.acquire()
    with pytest.raises(sw.RateLimited) as caught:
        sw.Timeout(0.5, clock=clock)(limit(lambda: None))()
    assert str(caught.value) == "token_bucket is at its limit; retry in 1 s, the caller's deadline leaves 0.5 s"
    assert clock.time() == 0.0


def test_with_thread_the_caller_gets_its_error_in_time() -> None:
    """The function runs on in its thread, counted as abandoned until it ends."""
    clock = ManualClock()
    timeout = sw.Timeout(2, thread=True, clock=clock)
    began, go = threading.Event(), threading.Event()
    WHO.set("me")

    def work() -> None:
        assert WHO.get() == "me"
        began.set()
        clock.advance(2)
        go.wait()

    with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 2 s$"):
        timeout.call(work)
    assert timeout.stats().abandoned == 1
    go.set()
    while timeout.stats().abandoned:
        pass
    assert timeout.stats().timed_out == 1


def test_with_thread_results_and_errors_come_back() -> None:
    """In another thread, with the deadline in force, for as long as it is in time."""
    timeout = sw.Timeout(60, thread=True)

    @timeout
    def work(a: int, *, b: int) -> tuple[int, bool, bool]:
        return a + b, threading.current_thread() is threading.main_thread(), sw.Deadline.current() is not None

    assert work(1, b=2) == (3, False, True)
    with pytest.raises(ZeroDivisionError):
        timeout.call(lambda: 1 / 0)


def test_too_many_abandoned_calls_refuse_further_ones() -> None:
    """A callee that never ends does not eat one thread after the other."""
    clock = ManualClock()
    timeout = sw.Timeout(2, thread=True, max_abandoned=1, clock=clock)
    go = threading.Event()

    def work() -> None:
        clock.advance(2)
        go.wait()

    with pytest.raises(sw.TimeoutExceeded):
        timeout.call(work)
    with pytest.raises(sw.BulkheadFull) as caught:
        timeout.call(work)
    assert str(caught.value) == (
        "timeout: 1 calls that nobody waits for still run in threads, at most 1 may; "
        "give the callee a timeout of its own"
    )
    go.set()
    while timeout.stats().abandoned:
        pass
    assert timeout.call(lambda: "again") == "again"


def test_a_deadline_that_has_passed_refuses_the_call() -> None:
    """Nothing is left, so the callee is not called."""
    clock = ManualClock()
    called: list[int] = []
    with (
        sw.Deadline(0, clock=clock),
        pytest.raises(sw.DeadlineExceeded, match=r"^timeout: the deadline had passed before the call was made$"),
    ):
        sw.Timeout(5, clock=clock).call(called.append, 1)
    assert called == []


def test_repr_says_what_it_is() -> None:
    """Name, time, and what has happened."""
    assert repr(sw.Timeout(2.5, name="api", thread=True)) == "<Timeout 'api': 2.5 s thread, 0 timed out>"


def test_threads_that_run_on_refuse_plain_functions_only() -> None:
    """A coroutine function needs no thread, so the abandoned ones do not concern it."""
    clock = ManualClock()
    timeout = sw.Timeout(2, thread=True, max_abandoned=1, clock=clock)
    go = threading.Event()

    def work() -> None:
        clock.advance(2)
        go.wait()

    with pytest.raises(sw.TimeoutExceeded):
        timeout.call(work)

    async def other() -> str:
        return "done"

    assert asyncio.run(timeout(other)()) == "done"  # type: ignore[arg-type]
    go.set()
    while timeout.stats().abandoned:
        pass
