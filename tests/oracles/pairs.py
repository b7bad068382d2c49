"""Each limit beside its oracle, on one manual clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.oracles import limits as oracles

import seawall as sw
from seawall.clock import ManualClock

NAMES = ("token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log")


@dataclass
class Pair:
    """A limit, its oracle and their clock."""

    clock: ManualClock
    limit: Any
    oracle: Any

    @property
    def now(self) -> int:
        return self.clock.now_ns()


def pair(name: str, amount: int = 5, per: float = 1.0, limit: int = 5, **options: Any) -> Pair:
    """`amount` per `per` seconds, `limit` at once; windows take `limit` per `per`."""
    clock = ManualClock()
    period = round(per * oracles.SECOND)
    if name == "token_bucket":
        made: Any = sw.TokenBucket(amount, per=per, burst=limit, clock=clock, **options)
        return Pair(clock, made, oracles.TokenBucket(amount, period, limit))
    if name == "leaky_bucket":
        made = sw.LeakyBucket(amount, per=per, capacity=limit, clock=clock, **options)
        return Pair(clock, made, oracles.LeakyBucket(amount, period, limit))
    if name == "fixed_window":
        made = sw.FixedWindow(limit, window=per, clock=clock, **options)
        return Pair(clock, made, oracles.FixedWindow(limit, period))
    if name == "sliding_window":
        made = sw.SlidingWindow(limit, window=per, clock=clock, **options)
        return Pair(clock, made, oracles.SlidingWindow(limit, period))
    made = sw.SlidingLog(limit, window=per, clock=clock, **options)
    return Pair(clock, made, oracles.SlidingLog(limit, period))
