"""Callees of known capacity, and who calls them: what adaptive limits are tried on in virtual time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

Service = Callable[[Random, float], float]
"""Seconds that a call takes a worker, at a time."""


@dataclass(frozen=True)
class Plant:
    """Workers with a line before them, first come first served, and callers who come by chance and lose patience.

    Args:
        workers: How many calls are served at once.
        rate: Calls a second, at a time.
        service: How long one takes.
        patience: After so many seconds the caller has gone; the callee does not know, and serves it in vain.
        seconds: How long all this goes on.
        thrash: How much slower service is for each call in line, by worker: switching, cache misses, locks.
        changes: Times at which something changes, for pictures.
    """

    workers: int
    rate: Callable[[float], float]
    service: Service
    patience: float
    seconds: float
    thrash: float = 0.05
    changes: tuple[float, ...] = ()

    def lasting(self, seconds: float) -> Plant:
        """The same for another time."""
        return replace(self, seconds=seconds)


def exponential(mean: float) -> Service:
    """By chance."""
    return lambda chance, _now: chance.expovariate(1 / mean)


def slower(mean: float, factor: float, begin: float, end: float = math.inf) -> Service:
    """By chance, `factor` times as long from `begin` to `end`."""
    return lambda chance, now: chance.expovariate(1 / mean) * (factor if begin <= now < end else 1)


def bimodal(fast: float, slow: float, share: float) -> Service:
    """Hits and misses: a `share` of calls is slow."""
    return lambda chance, _now: (slow if chance.random() < share else fast) * chance.uniform(0.9, 1.1)


PLANTS = {
    "queueing server": Plant(8, lambda _: 600, exponential(0.02), 0.25, 40),
    "slow-down and recovery": Plant(8, lambda _: 500, slower(0.02, 4, 15, 30), 0.5, 45, changes=(15, 30)),
    "slow for good": Plant(8, lambda _: 500, slower(0.02, 3, 15), 0.5, 45, changes=(15,)),
    "low traffic": Plant(8, lambda _: 20, exponential(0.05), 1.0, 120),
    "bimodal latency": Plant(8, lambda _: 700, bimodal(0.005, 0.1, 0.1), 0.5, 40),
    "many workers": Plant(64, lambda _: 1500, exponential(0.06), 0.5, 30),
}
