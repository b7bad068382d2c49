"""Breakers that tell each other when they open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.distributed.limits import SharedBreaker
from seawall.engines import open_engine
from seawall.errors import CircuitOpen, ConfigError


@pytest.fixture
def clock() -> ManualClock:
    """Stands still."""
    return ManualClock(1_000.0)


@pytest.fixture
def engine(clock):
    """In memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


def process(engine: Any, clock: ManualClock, **options: Any) -> tuple[sw.CircuitBreaker, SharedBreaker, sw.Pipeline]:
    """A breaker that opens at the second failure in a row for 10 s, as one of several processes has it."""
    breaker = sw.CircuitBreaker(
        "payments", failure_ratio=None, consecutive=2, open_for=10, open_jitter=0, probes=1, recovery=None, clock=clock
    )
    shared = SharedBreaker(breaker, engine=engine, refresh=1, **options)
    return breaker, shared, sw.Pipeline(shared, breaker)


def fail() -> None:
    """What the callee does when it is broken."""
    raise ConnectionError


def opened(guard: sw.Pipeline) -> None:
    """Fails until the breaker is open, and one call more, which tells."""
    for _ in range(2):
        with pytest.raises(ConnectionError):
            guard.call(fail)
    with pytest.raises(CircuitOpen):
        guard.call(len, "abc")


def called(guard: sw.Pipeline, *, tasks: bool) -> int:
    """A call that succeeds, on either face."""
    if not tasks:
        return guard.call(len, "abc")

    async def three() -> int:
        return 3

    return asyncio.run(guard.call_async(three))


@pytest.mark.parametrize("tasks", [False, True], ids=["threads", "tasks"])
def test_others_refuse_while_one_is_open(engine, clock, tasks):
    """From the first look on until its time is over; their own breakers stay closed."""
    _, _, first = process(engine, clock)
    breaker, shared, second = process(engine, clock)
    assert called(second, tasks=tasks) == 3
    opened(first)
    assert called(second, tasks=tasks) == 3  # looked less than a refresh ago
    clock.advance(1)
    with pytest.raises(CircuitOpen) as refused:
        called(second, tasks=tasks)
    assert str(refused.value) == "circuit breaker payments is open in 1 other process; looked at again in 1 s"
    assert (refused.value.retry_after, refused.value.state) == (1.0, "open elsewhere")
    assert breaker.state == "closed"
    clock.advance(9)
    assert called(second, tasks=tasks) == 3
    assert shared.stats() == ("payments", "memory://", 0, 1, 3, 0, False)


def test_the_opener_itself_probes_when_its_time_is_over(engine, clock):
    """Its own opening does not keep it out."""
    breaker, shared, guard = process(engine, clock)
    opened(guard)
    clock.advance(10)
    assert guard.call(len, "abc") == 3
    assert breaker.state == "closed"
    assert shared.stats().told == 1
    opened(guard)
    assert shared.stats().told == 2


def test_an_early_end_is_told_too(engine, clock):
    """Closed by hand, it is taken back with the next call."""
    breaker, _, first = process(engine, clock)
    _, _, second = process(engine, clock)
    opened(first)
    breaker.force_close()
    first.call(len, "abc")
    assert second.call(len, "abc") == 3


def test_more_than_one_may_have_to_open(engine, clock):
    """With `openers=2` one process with a bad network does not stop all."""
    guards = [process(engine, clock, openers=2)[2] for _ in range(3)]
    opened(guards[0])
    assert guards[2].call(len, "abc") == 3
    opened(guards[1])
    clock.advance(1)
    with pytest.raises(CircuitOpen, match="is open in 2 other processes"):
        guards[2].call(len, "abc")


def test_what_can_never_work_is_refused(engine, clock):
    """The message names what is wanted."""
    with pytest.raises(ConfigError, match=r"^breaker must be a CircuitBreaker, got 5$"):
        SharedBreaker(5, engine=engine)
    with pytest.raises(ConfigError, match=r"^engine must be an Engine"):
        SharedBreaker(sw.CircuitBreaker("x"), engine=5)
    with pytest.raises(ConfigError, match=r"^openers must be"):
        SharedBreaker(sw.CircuitBreaker("x"), engine=engine, openers=0)
