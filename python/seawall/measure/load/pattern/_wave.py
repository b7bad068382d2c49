"""A plan that swings, and the inverse of an integral that has no closed one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load.pattern._plans import Floats, Plan

MAX_TURNS = 1_000_000
# Newton's method is done after a few rounds or gets nowhere; halving then needs one round a bit.
_NEWTON_ROUNDS = 24
_ROUNDS = 84


@dataclass(frozen=True, slots=True)
class Wave(Plan):
    """A plan that swings from `low` up to `high` and back every `period` seconds, beginning at `low`."""

    duration: float
    low: float
    high: float
    period: float

    @property
    def straight(self) -> bool:
        """It is curved."""
        return False

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        half = (self.high - self.low) / 2
        rates: Floats = self.low + half * (1 - np.cos(times * (2 * math.pi / self.period)))
        return rates

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        middle = (self.low + self.high) / 2
        sums: Floats = middle * times - self._swing * np.sin(times * (2 * math.pi / self.period))
        return sums

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`, by Newton's method kept inside a bracket."""
        middle, swing = (self.low + self.high) / 2, self._swing
        below = np.clip((counts - swing) / middle, 0.0, self.duration)
        above = np.clip((counts + swing) / middle, 0.0, self.duration)
        return invert(self, counts, below, above)

    def turns(self) -> Floats:
        """The troughs and crests."""
        n = math.ceil(self.duration / (self.period / 2))
        if n > MAX_TURNS:
            raise ConfigError(
                f"a clipped sine may have at most {MAX_TURNS // 2:,} periods in its run, got one of "
                f"{self.period:,.10g} seconds in {self.duration:,.10g}; lengthen the period or run shorter"
            )
        turns: Floats = np.append(np.arange(n) * (self.period / 2), self.duration)
        return turns

    @property
    def _swing(self) -> float:
        return (self.high - self.low) / 2 * self.period / (2 * math.pi)


def invert(plan: Plan, counts: Floats, below: Floats, above: Floats) -> Floats:
    """Find the times between `below` and `above` at which the integral of `plan` reaches `counts`."""
    times = (below + above) / 2
    for n in range(_ROUNDS):
        over = plan.sums(times) - counts
        below, above = np.where(over < 0, times, below), np.where(over < 0, above, times)
        better = (below + above) / 2
        if n < _NEWTON_ROUNDS:
            # Where the rate is 0 Newton has nowhere to go; halving the bracket always has.
            with np.errstate(all="ignore"):
                newton = times - over / plan.rates(times)
            better = np.where((newton >= below) & (newton <= above), newton, better)
        moved = float(np.max(np.abs(better - times), initial=0.0))
        times = better
        if moved <= 1e-13 * plan.duration:
            break
    return times


def bisect(positive: Callable[[Floats], Floats], below: Floats, above: Floats) -> Floats:
    """The first times, to a rounding, at which `positive` is what it is at `above` and not what it is at `below`."""
    wanted = positive(above)
    for _ in range(64):
        middle = (below + above) / 2
        there = positive(middle) == wanted
        below, above = np.where(there, below, middle), np.where(there, middle, above)
    return above
