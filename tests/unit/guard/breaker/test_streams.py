"""Generators behind a breaker: one call from the first item to the last."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.unit.guard.breaker.driving import breaker_at, opened, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen


def test_a_generator_is_one_call(clock: ManualClock) -> None:
    """Admitted before the first item, a success after the last, a failure where it raises; values pass both ways."""
    breaker = breaker_at(clock)

    @breaker
    def items(n: int) -> Iterator[int]:
        got = yield 0
        for i in range(1, n):
            got = yield got or i
        if n > 3:
            raise OSError("down")
        return "end"

    assert list(items(3)) == [0, 1, 2]
    talk = items(3)
    assert (next(talk), talk.send(7)) == (0, 7)
    assert breaker.stats().successes == 1
    for _ in range(2):
        with pytest.raises(OSError, match=r"^down$"):
            list(items(4))
    assert (breaker.state, breaker.stats().failures) == ("open", 2)
    with pytest.raises(CircuitOpen):
        next(items(3))


async def test_an_async_generator_is_one_call(clock: ManualClock) -> None:
    """The same for async for."""
    breaker = breaker_at(clock)

    @breaker
    async def items(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i
        if n > 3:
            raise OSError("down")

    assert [i async for i in items(3)] == [0, 1, 2]
    for _ in range(2):
        with pytest.raises(OSError, match=r"^down$"):
            _ = [i async for i in items(4)]
    with pytest.raises(CircuitOpen):
        _ = [i async for i in items(3)]


async def test_a_stream_that_is_closed_early_says_nothing(clock: ManualClock) -> None:
    """A caller that has enough is not the callee's failure, and a probe's place is given back."""
    breaker, probe = probing(clock)
    probe.ignore()
    before = breaker.stats().ignored

    @breaker
    def items() -> Iterator[int]:
        yield 1
        yield 2

    @breaker
    async def async_items() -> AsyncIterator[int]:
        yield 1
        yield 2

    stream = items()
    assert next(stream) == 1
    assert not breaker.try_enter()
    stream.close()
    stream = async_items()
    assert await anext(stream) == 1
    assert not breaker.try_enter()
    await stream.aclose()
    assert (breaker.state, breaker.stats().ignored) == ("half_open", before + 2)
    assert list(items()) == [1, 2]
    assert breaker.state == "closed"


def test_a_stream_that_is_dropped_gives_its_place_back(clock: ManualClock) -> None:
    """A generator nobody holds any more has been closed."""
    breaker, probe = probing(clock)
    probe.ignore()

    @breaker
    def items() -> Iterator[int]:
        yield 1

    stream = items()
    next(stream)
    assert not breaker.try_enter()
    del stream
    assert breaker.try_enter()


def test_a_callers_time_between_items_does_not_make_the_callee_slow(clock: ManualClock) -> None:
    """Only a stream that ends without an item, having taken long, was slow."""
    breaker = breaker_at(clock, slow_after=2, min_calls=10)

    @breaker
    def items(n: int) -> Iterator[int]:
        if not n:
            clock.advance(4)
        yield from range(n)

    for _ in items(3):
        clock.advance(4)
    assert (breaker.stats().successes, breaker.stats().slow) == (1, 0)
    assert list(items(0)) == []
    assert (breaker.stats().successes, breaker.stats().slow) == (2, 1)


async def test_a_stream_has_no_result_to_be_judged(clock: ManualClock) -> None:
    """failure_if is asked of errors of a generator, not of its end."""
    breaker = breaker_at(clock, failure_if=lambda e: isinstance(e, OSError) or e.no_such_attribute)

    @breaker
    async def items(n: int) -> AsyncIterator[int]:
        yield n
        if n:
            raise ConnectionError

    assert [i async for i in items(0)] == [0]
    with pytest.raises(ConnectionError):
        _ = [i async for i in items(1)]
    assert (breaker.stats().successes, breaker.stats().failures) == (1, 1)


def test_an_unused_generator_asks_nothing(clock: ManualClock) -> None:
    """Making one is no call."""
    breaker = opened(clock)

    @breaker
    def items() -> Iterator[int]:
        yield 1

    refused = breaker.stats().refused
    items().close()
    assert breaker.stats().refused == refused
