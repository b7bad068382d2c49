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

    @property
    def straight(self) -> bool:
        """Whether the rate runs straight between two turns."""
        return True

    @abstractmethod
    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`, which lie within the run; at a jump the new one.

        Shapes: times: (n,) float64, each in [0, duration]; returns (n,) float64.
        """

    @abstractmethod
    def sums(self, times: Floats) -> Floats:
        """Expected arrivals from 0 up to each of `times`: the exact integral of the rate.

        Shapes: times: (n,) float64, each in [0, duration]; returns (n,) float64.
        """

    @abstractmethod
    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`.

        Shapes: counts: (n,) float64, each in (0, total]; returns (n,) float64, each in [0, duration].
        """

    @abstractmethod
    def turns(self) -> Floats:
        """Times, in order, from 0 to `duration`, between which the rate runs smoothly and crosses a level once at most.

        Raises:
            ConfigError: There are too many to hold in memory.
        """

    def spread(self) -> Plan:
        """The plan with nothing left that happens in an instant, so that the rate says it all."""
        return self

    def rate(self, t: float) -> float:
        """Requests a second asked for at `t` seconds; 0 outside of the run."""
        return float(self.rates(np.array([t]))[0]) if 0 <= t <= self.duration else 0.0

    def planned(self, t: float) -> float:
        """Expected arrivals in [0, t]: the exact integral of the rate."""
        return float(self.sums(np.array([min(t, self.duration)]))[0]) if t >= 0 else 0.0

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
        columns = np.array([(piece.length, piece.start, piece.end) for piece in pieces], dtype=np.float64)
        self._lay(*columns.T)

    @classmethod
    def level(cls, lengths: Floats, rates: Floats) -> Pieces:
        """Make a plan of very many level pieces, without an object for each."""
        plan = cls.__new__(cls)
        plan._lay(lengths, rates, rates)
        return plan

    def _lay(self, lengths: Floats, starts: Floats, ends: Floats) -> None:
        edges = np.concatenate([[0.0], np.cumsum(lengths)])
        object.__setattr__(self, "duration", float(edges[-1]))
        object.__setattr__(self, "_begins", edges)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_slopes", (ends - starts) / lengths)
        object.__setattr__(self, "_sums", np.concatenate([[0.0], np.cumsum(lengths * (starts + ends) / 2)]))

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        i = self._piece_at(times)
        rates: Floats = self._starts[i] + self._slopes[i] * (times - self._begins[i])
        return rates

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        i = self._piece_at(times)
        into = np.minimum(times, self._begins[i + 1]) - self._begins[i]
        sums: Floats = self._sums[i] + into * (self._starts[i] + self._slopes[i] * into / 2)
        # At the very end the sum as it was added up, so that the total is one number however it is asked for.
        return np.where(times >= self.duration, self._sums[-1], sums)

    def turns(self) -> Floats:
        """The edges of the pieces."""
        return self._begins

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        # Side "left" finds the first piece whose end reaches the count, which steps over silent pieces.
        i = np.minimum(np.searchsorted(self._sums[1:], counts, side="left"), len(self._starts) - 1)
        rest = counts - self._sums[i]
        start, slope = self._starts[i], self._slopes[i]
        root = np.sqrt(np.maximum(start * start + 2 * slope * rest, 0.0))
        # The form of the quadratic's root that subtracts nothing; the tiny floor only guards 0/0 at a count of 0.
        into = 2 * rest / np.maximum(start + root, 1e-300)
        times: Floats = np.clip(self._begins[i] + into, self._begins[i], self._begins[i + 1])
        return times

    def _piece_at(self, times: Floats) -> npt.NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._begins, times, side="right") - 1, len(self._starts) - 1)
