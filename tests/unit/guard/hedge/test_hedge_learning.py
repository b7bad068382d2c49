"""When a hedge that learns from its calls makes copies."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from tests.unit.guard.hedge.service import Service, settle

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.hedge import Quantile


def take(hedge: Any, clock: ManualClock, *seconds: float) -> None:
    """Plain calls that take so long; in shadow, so that they run here."""
    for one in seconds:
        hedge.call(clock.advance, one)


def learning(clock: ManualClock, quantile: Quantile, **options: Any) -> Any:
    """A hedge that hedges nothing and learns all the same."""
    return sw.Hedge(quantile, idempotent=True, budget=None, clock=clock, shadow=True, **options)


def test_before_enough_calls_nothing_is_hedged() -> None:
    """The hundredth call tells; from then on the quantile is known, to a hundredth of itself."""
    clock = ManualClock()
    hedge = learning(clock, Quantile(0.9, min_samples=100))
    take(hedge, clock, *[0.01] * 90, *[0.2] * 9)
    assert (hedge.after, hedge.stats().unlearned) == (None, 99)
    take(hedge, clock, 0.2)
    assert hedge.after == pytest.approx(0.01, rel=0.02)
    assert hedge.stats().unlearned == 100


def test_the_quantile_follows_the_calls_of_the_window() -> None:
    """A service that becomes slower, or faster, is known as such when the older half windows have passed."""
    clock = ManualClock()
    hedge = learning(clock, Quantile(0.9, window=10, min_samples=20))
    take(hedge, clock, *[0.1] * 50)
    assert hedge.after == pytest.approx(0.1, rel=0.02)
    take(hedge, clock, *[0.4] * 40)
    assert hedge.after == pytest.approx(0.4, rel=0.02)
    take(hedge, clock, *[0.1] * 200)
    assert hedge.after == pytest.approx(0.1, rel=0.02)


def test_a_seldom_called_service_is_remembered_by_number() -> None:
    """Older than the window or not, min_samples calls stay known, and a pause forgets nothing."""
    clock = ManualClock()
    hedge = learning(clock, Quantile(0.9, window=10, min_samples=20))
    for _ in range(100):
        take(hedge, clock, 0.1)
        clock.advance(60)
    assert hedge.after == pytest.approx(0.1, rel=0.02)


def test_what_is_no_measure_of_latency_teaches_none() -> None:
    """Fast failures, bad results, cancelled calls, and calls that may not be made twice."""
    clock = ManualClock()
    hedge = sw.Hedge(
        Quantile(0.9, min_samples=10),
        idempotent=lambda how: how != "write",
        clock=clock,
        good=lambda result: result != "bad",
    )

    def work(how: str) -> str:
        clock.advance(0.1)
        if how == "fails":
            raise OSError(how)
        if how == "interrupted":
            raise KeyboardInterrupt
        return how

    for how in ("fails", "bad", "interrupted", "write") * 20:
        with contextlib.suppress(OSError, KeyboardInterrupt):
            hedge.call(work, how)
    assert hedge.after is None
    for _ in range(10):
        hedge.call(work, "read")
    assert hedge.after == pytest.approx(0.1, rel=0.02)


async def test_hedged_calls_still_teach_how_slow_the_service_is() -> None:
    """A first copy that lost counts as slower than the time it was hedged after: the quantile does not sink to it."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(Quantile(0.9, window=1000, min_samples=10), idempotent=True, budget=None, clock=clock)
    for round_ in range(60):
        call = asyncio.create_task(hedge.call_async(service.ask))
        await settle()
        if round_ % 5:  # four in five take 0.1 s, the fifth hangs and is answered by its copy
            clock.advance(0.1)
            service.answer(-1, "fast")
        else:
            clock.advance(1.0)
            await settle()
            clock.advance(0.1)
            service.answer(-1, "slow")
        await call
    assert hedge.after is not None
    assert hedge.after > 0.5


def test_memory_is_bounded() -> None:
    """Two histograms, whatever the number of calls."""
    clock = ManualClock()
    hedge = learning(clock, Quantile(0.9, window=1, min_samples=10))
    seen = set()
    for _ in range(2000):
        take(hedge, clock, 0.01)
        seen.add(id(hedge._latencies.recent))
        assert hedge._latencies.recent.count <= 60
    assert hedge._latencies._older.count <= 60
