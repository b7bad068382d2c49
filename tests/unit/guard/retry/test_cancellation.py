"""Calls that are given up while a retry sleeps."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Generator
from typing import Any

import pytest

import seawall as sw
from seawall.clock import Clock, ManualClock


async def failing() -> None:
    """A callee that is worth another attempt, always."""
    raise TimeoutError


async def asleep(policy: sw.Retry, clock: ManualClock) -> asyncio.Task[None]:
    """A task whose retry has begun to wait."""
    task = asyncio.create_task(policy.call_async(failing))
    while not clock.waiting:  # noqa: ASYNC110 -- the clock has no event for this
        await asyncio.sleep(0)
    return task


async def test_a_task_cancelled_between_attempts_ends_as_cancelled() -> None:
    """The wait ends, no attempt follows, and nothing is counted as given up."""
    clock = ManualClock()
    policy = sw.Retry(3, clock=clock)
    task = await asleep(policy, clock)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stats = policy.stats()
    assert (stats.attempts, stats.retries, stats.gave_up, stats.recovered) == (2, 1, 0, 0)
    assert clock.waiting == 0


async def test_a_cancelled_wait_leaves_no_retry_behind() -> None:
    """The next call, and tasks made from here, are outermost again."""
    clock = ManualClock()
    policy = sw.Retry(3, clock=clock)
    task = await asleep(policy, clock)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    other = sw.Retry(2, backoff=0)
    with pytest.raises(TimeoutError):
        await other.call_async(failing)
    assert (other.stats().stood_back, other.stats().attempts) == (0, 2)


async def test_a_cancelled_wait_frees_what_the_call_remembered() -> None:
    """Memory of failed attempts goes with the call (the engine leaves every policy it has entered)."""
    clock, kept = ManualClock(), []
    policy = sw.Retry(3, clock=clock)
    policy.retrying.connect(kept.append)

    def count() -> int:
        gc.collect()
        return sum(type(one).__name__ == "Failures" for one in gc.get_objects())

    before = count()
    for _ in range(10):
        task = await asleep(policy, clock)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(kept) == 10
    assert count() == before


def test_a_coroutine_dropped_between_attempts_leaves_no_retry_behind() -> None:
    """An abandoned call is cleaned up by whoever collects it."""
    clock = ManualClock()
    policy, other = sw.Retry(3, clock=clock), sw.Retry(2, backoff=0)

    async def main() -> None:
        call: Any = policy(failing)()
        call.send(None)
        assert clock.waiting == 1
        call.close()

    asyncio.run(main())
    with pytest.raises(TimeoutError):
        asyncio.run(other.call_async(failing))
    assert (other.stats().stood_back, other.stats().attempts) == (0, 2)


def test_a_call_driven_by_hand_ends_with_its_result() -> None:
    """send() and throw() of a guarded coroutine give what is awaited, then the result, at every step."""

    class Step:
        def __await__(self) -> Generator[str, object, object]:
            try:
                return (yield "first")
            except KeyError:
                return (yield "second")

    @sw.Retry(2)
    async def stepwise() -> object:
        return await Step()

    call: Any = stepwise()
    assert call.send(None) == "first"
    assert call.throw(KeyError()) == "second"
    with pytest.raises(StopIteration) as ended:
        call.send("end")
    assert ended.value.value == "end"


class Broken(Clock):
    """A clock that cannot wait."""

    def park(self, bell: object, until_ns: int) -> None:
        """Fails."""
        del bell, until_ns
        raise RuntimeError("cannot wait")


def test_a_clock_that_cannot_wait_ends_the_call_with_its_error() -> None:
    """An error of the wait is not lost, and is judged like any other."""
    policy, calls = sw.Retry(3, backoff=1, clock=Broken()), []

    def callee() -> None:
        calls.append(1)
        raise TimeoutError

    with pytest.raises(RuntimeError) as caught:
        policy.call(callee)
    assert (str(caught.value), len(calls)) == ("cannot wait", 1)
    assert caught.value.__notes__[0].endswith("this error is not retried; before: TimeoutError")


def test_a_call_keeps_no_reference_to_its_errors() -> None:
    """An earlier error, and with it all local variables of the callee, is free while the call goes on."""
    counts, errors = [], [TimeoutError("one"), TimeoutError("two")]

    def callee() -> None:
        if errors:
            error = errors.pop()
            counts.append(sys.getrefcount(error))
            raise error

    sw.Retry(3, backoff=0).call(callee)
    assert counts == [2, 2]
