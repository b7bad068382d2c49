"""Generators behind a retry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import seawall as sw
from seawall.clock import ManualClock


def policy(**options: object) -> sw.Retry:
    """A retry that waits in no time."""
    return sw.Retry(3, jitter="none", clock=ManualClock(autojump=True), **options)  # type: ignore[arg-type]


def test_a_generator_that_fails_before_its_first_item_is_begun_again() -> None:
    """Nobody has seen anything yet, so nothing is seen twice."""
    begun = []

    @policy()
    def items() -> Iterator[int]:
        begun.append(1)
        if len(begun) < 3:
            raise TimeoutError
        yield 1
        yield 2

    assert list(items()) == [1, 2]
    assert len(begun) == 3


def test_a_generator_that_fails_after_an_item_is_not_begun_again_and_says_why() -> None:
    """An item that was seen would be seen twice: the error goes through."""
    begun, error, retry = [], TimeoutError("lost"), policy()

    @retry
    def items() -> Iterator[int]:
        begun.append(1)
        yield 1
        raise error

    stream = items()
    assert next(stream) == 1
    with pytest.raises(TimeoutError) as caught:
        next(stream)
    assert caught.value is error
    assert error.__notes__ == ["retry gave up after 1 attempt in 0 s: the caller has seen items already"]
    assert len(begun) == 1
    assert retry.stats().gave_up == 1


async def test_async_generators_are_treated_the_same() -> None:
    """Begun again before the first item, never after it."""
    begun, error = [], TimeoutError("lost")

    @policy()
    async def items() -> AsyncIterator[int]:
        begun.append(1)
        if len(begun) == 1:
            raise ConnectionError("first")
        yield 1
        raise error

    stream = items()
    assert await anext(stream) == 1
    with pytest.raises(TimeoutError):
        await anext(stream)
    assert len(begun) == 2
    assert error.__notes__ == [
        "retry gave up after 2 attempts in 0.1 s: the caller has seen items already; before: ConnectionError: first"
    ]


def test_what_a_caller_does_between_items_is_not_inside_the_retry() -> None:
    """A stream under way keeps nobody else from retrying."""
    calls, inner = [], policy()

    @policy()
    def items() -> Iterator[int]:
        yield 1
        yield 2

    def bottom() -> None:
        calls.append(1)
        raise TimeoutError

    for _ in items():
        with pytest.raises(TimeoutError):
            inner.call(bottom)
    assert len(calls) == 6


def test_on_result_does_not_ask_about_streams() -> None:
    """What a generator returns in the end is no reason to begin it again."""

    @policy(on_result=lambda _: True)
    def items() -> Iterator[int]:
        yield 1

    assert list(items()) == [1]
