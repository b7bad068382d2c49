"""A pattern laid over a duration: rates, their exact integral, and its inverse.

Arrival times come from inverting the integral, not from adding up gaps, so a run of any length never drifts.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Plan(ABC):
    """The rate over time of one run, from 0 to `duration` seconds. Immutable."""

    duration: float

    @abstractmethod
    def rate(self, t: float) -> float:
        """Requests a second asked for at `t` seconds; 0 outside of the run."""

    @abstractmethod
    def planned(self, t: float) -> float:
        """Expected arrivals in [0, t]: the exact integral of the rate."""

    @abstractmethod
    def when(self, counts: Floats) -> Floats:
        """The times at which `planned` reaches each of `counts`.

        Shapes: counts: (n,) float64, each in (0, total]; returns (n,) float64, each in [0, duration].
        """

    @property
    def total(self) -> float:
        """Expected arrivals of the whole run."""
        return self.planned(self.duration)

    @property
    def arrivals(self) -> int:
        """The number of arrivals at uniform spacing: the total, a half rounded up."""
        return math.floor(self.total + 0.5)

    def levels(self, n: int) -> list[float]:
        """The mean rate, in requests a second, of each of `n` equal slices of the run."""
        edges = [self.planned(self.duration * i / n) for i in range(n + 1)]
        return [(after - before) * n / self.duration for before, after in itertools.pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of `length` seconds on which the rate runs straight from `start` to `end`."""

    length: float
    start: float
    end: float


@dataclass(frozen=True, init=False, eq=False)
class Pieces(Plan):
    """A plan made of straight pieces: its integral is quadratic on each, so the inverse has a closed form."""

    duration: float
    _begins: Floats = field(repr=False)
    _starts: Floats = field(repr=False)
    _slopes: Floats = field(repr=False)
    _sums: Floats = field(repr=False)

    def __init__(self, pieces: Sequence[Piece]) -> None:
        lengths = np.array([piece.length for piece in pieces], dtype=np.float64)
        starts = np.array([piece.start for piece in pieces], dtype=np.float64)
        ends = np.array([piece.end for piece in pieces], dtype=np.float64)
        edges = np.concatenate([[0.0], np.cumsum(lengths)])
        object.__setattr__(self, "duration", float(edges[-1]))
        object.__setattr__(self, "_begins", edges)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_slopes", (ends - starts) / lengths)
        object.__setattr__(self, "_sums", np.concatenate([[0.0], np.cumsum(lengths * (starts + ends) / 2)]))

    def rate(self, t: float) -> float:
        """Requests a second asked for at `t` seconds; 0 outside of the run."""
        if not 0 <= t <= self.duration:
            return 0.0
        i = self._piece_at(t)
        return float(self._starts[i] + self._slopes[i] * (t - self._begins[i]))

    def planned(self, t: float) -> float:
        """Expected arrivals in [0, t]: the exact integral of the rate."""
        if t >= self.duration:
            return float(self._sums[-1])
        i = self._piece_at(max(t, 0.0))
        into = max(t, 0.0) - self._begins[i]
        return float(self._sums[i] + into * (self._starts[i] + self._slopes[i] * into / 2))

    def when(self, counts: Floats) -> Floats:
        """The times at which `planned` reaches each of `counts`."""
        # Side "left" finds the first piece whose end reaches the count, which steps over silent pieces.
        i = np.minimum(np.searchsorted(self._sums[1:], counts, side="left"), len(self._starts) - 1)
        rest = counts - self._sums[i]
        start, slope = self._starts[i], self._slopes[i]
        root = np.sqrt(np.maximum(start * start + 2 * slope * rest, 0.0))
        # The form of the quadratic's root that subtracts nothing; the tiny floor only guards 0/0 at a count of 0.
        into = 2 * rest / np.maximum(start + root, 1e-300)
        times: Floats = np.clip(self._begins[i] + into, self._begins[i], self._begins[i + 1])
        return times

    def _piece_at(self, t: float) -> int:
        return min(int(np.searchsorted(self._begins, t, side="right")) - 1, len(self._starts) - 1)


@dataclass(frozen=True, slots=True)
class Wave(Plan):
    """A plan that swings from `low` up to `high` and back every `period` seconds, beginning at `low`."""

    duration: float
    low: float
    high: float
    period: float

    def rate(self, t: float) -> float:
        """Requests a second asked for at `t` seconds; 0 outside of the run."""
        if not 0 <= t <= self.duration:
            return 0.0
        return float(self._rates(np.float64(t)))

    def planned(self, t: float) -> float:
        """Expected arrivals in [0, t]: the exact integral of the rate."""
        return float(self._integral(np.float64(min(max(t, 0.0), self.duration))))

    def when(self, counts: Floats) -> Floats:
        """The times at which `planned` reaches each of `counts`, by Newton's method kept inside a bracket."""
        middle, swing = (self.low + self.high) / 2, self._swing
        below = np.clip((counts - swing) / middle, 0.0, self.duration)
        above = np.clip((counts + swing) / middle, 0.0, self.duration)
        times = np.clip(counts / middle, below, above)
        for _ in range(80):
            over = self._integral(times) - counts
            below, above = np.where(over < 0, times, below), np.where(over < 0, above, times)
            # Where the rate is 0 Newton has nowhere to go; halving the bracket always has.
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = times - over / self._rates(times)
            inside = (newton >= below) & (newton <= above)
            better = np.where(inside, newton, (below + above) / 2)
            moved = float(np.max(np.abs(better - times), initial=0.0))
            times = better
            if moved <= 1e-13 * self.duration:
                break
        return times

    @property
    def _swing(self) -> float:
        return (self.high - self.low) / 2 * self.period / (2 * math.pi)

    def _rates(self, t: Floats | np.float64) -> Floats:
        half = (self.high - self.low) / 2
        rates: Floats = np.asarray(self.low + half * (1 - np.cos(t * (2 * math.pi / self.period))))
        return rates

    def _integral(self, t: Floats | np.float64) -> Floats:
        sums: Floats = np.asarray(
            (self.low + self.high) / 2 * t - self._swing * np.sin(t * (2 * math.pi / self.period))
        )
        return sums
