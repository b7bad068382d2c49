"""Retries inside retries do not multiply."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

import seawall as sw
from seawall.clock import ManualClock


def layer(attempts: int = 3, **options: object) -> sw.Retry:
    """A retry without waits."""
    return sw.Retry(attempts, backoff=0, clock=ManualClock(autojump=True), **options)  # type: ignore[arg-type]


def test_three_layers_of_three_attempts_make_three_calls() -> None:
    """The outermost retries, the others stand back: 3, not 27."""
    calls = []
    inner, middle, outer = layer(), layer(), layer()

    @inner
    def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    @middle
    def between() -> None:
        bottom()

    with pytest.raises(TimeoutError):
        outer.call(between)
    assert len(calls) == 3
    assert (outer.stats().stood_back, middle.stats().stood_back, inner.stats().stood_back) == (0, 3, 3)


async def test_awaited_layers_do_not_multiply_either() -> None:
    """What is awaited inside is on the way of the same call, whatever it waits for."""
    calls = []
    inner, outer = layer(), layer()

    @inner
    async def bottom() -> None:
        calls.append(1)
        await asyncio.sleep(0)
        raise TimeoutError

    @outer
    async def top() -> None:
        await asyncio.sleep(0)
        await bottom()

    with pytest.raises(TimeoutError):
        await top()
    assert len(calls) == 3


async def test_another_task_of_the_same_loop_is_not_inside() -> None:
    """While one task retries, an unrelated task has all its attempts."""
    calls = []
    other, outer = layer(), layer()
    begun, ended = asyncio.Event(), asyncio.Event()

    @outer
    async def top() -> None:
        begun.set()
        await ended.wait()
        raise TimeoutError

    @other
    async def unrelated() -> None:
        calls.append(1)
        raise TimeoutError

    task = asyncio.create_task(top())
    await begun.wait()
    with pytest.raises(TimeoutError):
        await unrelated()
    ended.set()
    with pytest.raises(TimeoutError):
        await task
    assert len(calls) == 3


def test_allow_multiplies_on_purpose() -> None:
    """An inner retry that is told to retries inside another one."""
    calls = []
    inner, outer = layer(nested="allow"), layer()

    @inner
    def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        outer.call(bottom)
    assert len(calls) == 9


@pytest.mark.parametrize("outer", [layer(1), layer(3, shadow=True)])
def test_a_retry_that_makes_no_retries_keeps_nobody_from_them(outer: sw.Retry) -> None:
    """Around one attempt, and around a shadow, the inner retry works."""
    calls = []
    inner = layer()

    @inner
    def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        outer.call(bottom)
    assert len(calls) == 3


def test_after_a_retried_call_the_next_one_is_outermost_again() -> None:
    """Nothing is left behind by a call that retried and gave up, succeeded, or was interrupted."""
    policy, ends = layer(), [TimeoutError(), TimeoutError(), KeyboardInterrupt()]

    def callee() -> None:
        if ends:
            raise ends.pop(0)

    with pytest.raises(KeyboardInterrupt):
        policy.call(callee)
    policy.call(callee)
    assert policy.stats().stood_back == 0


async def tasks_of(outer: sw.Retry, inner: sw.Retry) -> int:
    """How often the bottom is called when the outer callee calls it in a new task, failing always."""
    calls = []

    @inner
    async def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    @outer
    async def top() -> None:
        await asyncio.create_task(bottom())

    with pytest.raises(TimeoutError):
        await top()
    return len(calls)


async def test_in_new_tasks_layers_add_up_instead_of_multiplying() -> None:
    """From the second attempt on, tasks made by the callee know of the retry around: 3 + 1 + 1, not 9."""
    assert await tasks_of(layer(), layer()) == 5
    assert await tasks_of(layer(), layer(nested="allow")) == 9


async def test_a_task_that_outlives_the_retry_has_its_attempts_back() -> None:
    """Once no retry is under way, a task that was made by one is on its own."""
    calls, freed = [], asyncio.Event()
    inner, tasks = layer(), []

    @inner
    async def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    async def later() -> None:
        await freed.wait()
        await bottom()

    @layer()
    async def top() -> None:
        tasks.append(asyncio.create_task(later()))
        if len(tasks) < 3:
            raise TimeoutError

    await top()
    freed.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [TimeoutError] * 3
    assert len(calls) == 9


def test_a_thread_that_gets_the_context_adds_up_and_one_that_does_not_is_on_its_own() -> None:
    """What a retry cannot see: threads that are started without the caller's context."""

    def calls_with(carry: bool) -> int:
        calls = []
        inner = layer()

        @inner
        def bottom() -> None:
            calls.append(1)
            raise TimeoutError

        def quiet() -> None:
            with pytest.raises(TimeoutError):
                bottom()

        @layer()
        def top() -> None:
            context = contextvars.copy_context() if carry else contextvars.Context()
            thread = threading.Thread(target=context.run, args=(quiet,))
            thread.start()
            thread.join()
            raise TimeoutError

        with pytest.raises(TimeoutError):
            top()
        return len(calls)

    assert calls_with(carry=True) == 5
    assert calls_with(carry=False) == 9
