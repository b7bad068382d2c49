"""Chance in waits: callers that failed together must not come back together."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol, runtime_checkable


@runtime_checkable
class Jitter(Protocol):
    """What `Retry(jitter=...)` takes beside names: any object with this method."""

    def spread(self, wait: int, rng: Random) -> int:
        """Nanoseconds to wait instead of `wait`, at least 0."""


@dataclass(frozen=True, slots=True)
class NoJitter:
    """The wait as it is. For one caller alone; many would return together."""

    def spread(self, wait: int, rng: Random) -> int:
        """The wait as it is."""
        del rng
        return wait


@dataclass(frozen=True, slots=True)
class FullJitter:
    """Anything from nothing to the wait: spreads best, takes half the time on average.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def spread(self, wait: int, rng: Random) -> int:
        """Anything from nothing to the wait."""
        return rng.randint(0, wait)


@dataclass(frozen=True, slots=True)
class EqualJitter:
    """Anything from half the wait to all of it: never returns at once."""

    def spread(self, wait: int, rng: Random) -> int:
        """Anything from half the wait to all of it."""
        return rng.randint(wait - wait // 2, wait)
