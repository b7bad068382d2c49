"""A timeout on generators: time is looked at between items, and no context leaks to the consumer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

import seawall as sw
from seawall.clock import ManualClock


def test_a_generator_ends_when_time_is_up_between_items() -> None:
    """The consumer is told at the next item, and the generator is closed."""
    clock = ManualClock()
    closed: list[bool] = []

    @sw.Timeout(2, clock=clock)
    def numbers() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            closed.append(True)

    items = numbers()
    assert [next(items), next(items)] == [0, 1]
    clock.advance(2)
    with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 2 s$"):
        next(items)
    assert closed == [True]


def test_an_item_that_took_too_long_is_not_handed_out() -> None:
    """The time is looked at after the item, too."""
    clock = ManualClock()

    @sw.Timeout(2, clock=clock)
    def numbers() -> Iterator[int]:
        yield 0
        clock.advance(3)
        yield 1

    items = numbers()
    assert next(items) == 0
    with pytest.raises(sw.TimeoutExceeded):
        next(items)


def test_the_deadline_is_in_force_only_while_the_generator_runs() -> None:
    """Between items the consumer sees none; sent values and results still pass."""
    clock = ManualClock()

    @sw.Timeout(2, clock=clock)
    def echo() -> Iterator[object]:
        got: object = None
        for _ in range(3):
            deadline = sw.Deadline.current()
            got = yield (got, deadline is not None and deadline.remaining())

    items = echo()
    assert next(items) == (None, 2.0)
    assert sw.Deadline.current() is None
    clock.advance(1)
    assert items.send("x") == ("x", 1.0)  # type: ignore[attr-defined]
    assert sw.Deadline.current() is None
    assert len(list(items)) == 1
    assert sw.Deadline.current() is None


async def test_an_async_generator_is_cancelled_while_it_works_and_never_while_its_consumer_does() -> None:
    """Time that runs out in the consumer ends the stream at the next item; in the generator it cancels the step."""
    clock = ManualClock()
    timeout = sw.Timeout(2, clock=clock)

    @timeout
    async def numbers(hang_at: int) -> AsyncIterator[int]:
        for i in range(9):
            if i == hang_at:
                asyncio.get_running_loop().call_soon(clock.advance, 2)
                await asyncio.Event().wait()
            assert sw.Deadline.current() is not None
            yield i

    stream = numbers(1)
    assert await anext(stream) == 0
    assert sw.Deadline.current() is None
    with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 2 s$"):
        await anext(stream)
    stream = numbers(99)
    assert await anext(stream) == 0
    clock.advance(2)
    for _ in range(20):
        await asyncio.sleep(0)  # the consumer works on, uncancelled
    with pytest.raises(sw.TimeoutExceeded):
        await anext(stream)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
    assert clock.waiting == 0
    assert timeout.stats().timed_out == 2


async def test_an_async_generator_closed_early_leaves_nothing() -> None:
    """No timer, no deadline, no timeout counted."""
    clock = ManualClock()
    timeout = sw.Timeout(2, clock=clock)

    @timeout
    async def numbers() -> AsyncIterator[int]:
        for i in range(9):
            yield i

    stream = numbers()
    assert await anext(stream) == 0
    await stream.aclose()  # type: ignore[attr-defined]
    assert clock.waiting == 0
    assert timeout.stats().timed_out == 0


async def test_outer_cancellation_of_a_step_is_passed_on() -> None:
    """A consumer task that is cancelled inside a step ends cancelled."""
    clock = ManualClock()

    @sw.Timeout(2, clock=clock)
    async def numbers() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 0

    async def consume() -> None:
        async for _ in numbers():
            pass

    task = asyncio.create_task(consume())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    clock.advance(2)
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_policy_inside_sees_a_cancellation_not_a_failure() -> None:
    """A bulkhead inside gives its place back when the time of the stream is up."""
    clock = ManualClock()
    bulkhead = sw.Bulkhead(1)

    @bulkhead
    def numbers() -> Iterator[int]:
        yield from range(9)

    items = sw.Timeout(2, clock=clock)(numbers)()
    assert next(items) == 0
    clock.advance(2)
    with pytest.raises(sw.TimeoutExceeded):
        next(items)
    assert bulkhead.stats().in_flight == 0
