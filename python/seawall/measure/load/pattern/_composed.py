"""Plans made of other plans: scaled, added, joined and clipped. Integrals and inverses are made of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seawall.errors import ConfigError
from seawall.measure.load.pattern._plans import Floats, Plan
from seawall.measure.load.pattern._wave import MAX_TURNS, bisect, invert

# Brackets an inverse by at least this many stretches of the run before it is searched.
_KNOTS = 1024
# A sum of curves may turn between the turns of its parts; each stretch is looked at in so many places.
_LOOKS = 32


@dataclass(frozen=True, slots=True)
class Scaled(Plan):
    """A plan whose rate is `factor` times that of `inner`."""

    inner: Plan
    factor: float

    @property
    def duration(self) -> float:  # type: ignore[override]
        """The inner plan's."""
        return self.inner.duration

    @property
    def straight(self) -> bool:
        """As the inner plan's."""
        return self.inner.straight

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        return self.inner.rates(times) * self.factor

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        return self.inner.sums(times) * self.factor

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        if self.factor == 0:
            return np.zeros_like(counts)
        return self.inner.when(np.minimum(counts / self.factor, self.inner.total))

    def turns(self) -> Floats:
        """The inner plan's."""
        return self.inner.turns()

    def spread(self) -> Plan:
        """The plan without instants."""
        return Scaled(self.inner.spread(), self.factor)


@dataclass(frozen=True, init=False, eq=False)
class Added(Plan):
    """A plan whose rate is the sum of those of two plans of the same duration."""

    duration: float
    one: Plan
    other: Plan
    _knots: Floats = field(repr=False)
    _reached: Floats = field(repr=False)

    def __init__(self, one: Plan, other: Plan) -> None:
        object.__setattr__(self, "duration", one.duration)
        object.__setattr__(self, "one", one)
        object.__setattr__(self, "other", other)
        knots = np.linspace(0.0, one.duration, _KNOTS + 1)
        if self.straight:
            # Between two turns Newton's method is there after a few rounds.
            knots = np.unique(np.concatenate([knots, np.minimum(self.turns(), one.duration)]))
        object.__setattr__(self, "_knots", knots)
        object.__setattr__(self, "_reached", self.sums(knots))

    @property
    def straight(self) -> bool:
        """Where both parts are."""
        return self.one.straight and self.other.straight

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        return self.one.rates(times) + self.other.rates(times)

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        return self.one.sums(times) + self.other.sums(times)

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        i = np.clip(np.searchsorted(self._reached, counts, side="left"), 1, len(self._knots) - 1)
        return invert(self, counts, self._knots[i - 1], self._knots[i])

    def turns(self) -> Floats:
        """The turns of both, and where one is curved places between them."""
        edges = np.union1d(self.one.turns(), self.other.turns())
        if self.straight:
            return np.unique(np.minimum(edges, self.duration))
        if len(edges) * _LOOKS > MAX_TURNS:
            raise ConfigError(
                f"a clipped sum may turn at most {MAX_TURNS // _LOOKS:,} times, got {len(edges):,}; "
                "clip its parts instead, lengthen their periods or run shorter"
            )
        looks = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(_LOOKS) / _LOOKS)
        # The durations of the two may differ by a rounding.
        turns: Floats = np.append(np.minimum(looks.ravel(), self.duration), self.duration)
        return turns

    def spread(self) -> Plan:
        """The plan without instants."""
        return Added(self.one.spread(), self.other.spread())


@dataclass(frozen=True, slots=True)
class Joined(Plan):
    """A plan that is `first` and then `second`."""

    first: Plan
    second: Plan

    @property
    def duration(self) -> float:  # type: ignore[override]
        """Both durations together."""
        return self.first.duration + self.second.duration

    @property
    def straight(self) -> bool:
        """Where both parts are."""
        return self.first.straight and self.second.straight

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        first, second = self._within(times)
        return np.where(times < self.first.duration, self.first.rates(first), self.second.rates(second))

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        first, second = self._within(times)
        later = self.first.total + self.second.sums(second)
        return np.where(times < self.first.duration, self.first.sums(first), later)

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        early = counts <= self.first.total
        times = np.empty_like(counts)
        times[early] = self.first.when(counts[early])
        rest = np.minimum(counts[~early] - self.first.total, self.second.total)
        times[~early] = self.first.duration + self.second.when(rest)
        return times

    def turns(self) -> Floats:
        """The turns of both."""
        later = self.first.duration + self.second.turns()[1:]
        turns: Floats = np.concatenate([self.first.turns(), later])
        return turns

    def spread(self) -> Plan:
        """The plan without instants."""
        return Joined(self.first.spread(), self.second.spread())

    def _within(self, times: Floats) -> tuple[Floats, Floats]:
        middle = self.first.duration
        return np.minimum(times, middle), np.clip(times - middle, 0.0, self.second.duration)


@dataclass(frozen=True, init=False, eq=False)
class Clipped(Plan):
    """A plan whose rate is that of `inner`, kept within `least` and `most`.

    The run is cut where the rate crosses a limit: on each stretch it is either a limit or the inner rate, so the
    integral and its inverse are either straight or the inner plan's.
    """

    duration: float
    inner: Plan
    least: float
    most: float
    _edges: Floats = field(repr=False)
    _levels: Floats = field(repr=False)
    _within: Floats = field(repr=False)
    _sums: Floats = field(repr=False)

    def __init__(self, inner: Plan, least: float, most: float) -> None:
        inner = inner.spread()
        edges = _crossings(inner, inner.turns(), [least, most])
        middles = inner.rates((edges[:-1] + edges[1:]) / 2)
        # NaN says that the inner rate holds.
        levels = np.where(middles > most, most, np.where(middles < least, least, np.nan))
        within = inner.sums(edges)
        grown = np.where(np.isnan(levels), np.diff(within), levels * np.diff(edges))
        facts = {"duration": inner.duration, "inner": inner, "least": least, "most": most, "_edges": edges}
        facts |= {"_levels": levels, "_within": within, "_sums": np.concatenate([[0.0], np.cumsum(grown)])}
        for name, fact in facts.items():
            object.__setattr__(self, name, fact)

    @property
    def straight(self) -> bool:
        """As the inner plan's."""
        return self.inner.straight

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        return np.clip(self.inner.rates(times), self.least, self.most)

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        i = np.minimum(np.searchsorted(self._edges, times, side="right") - 1, len(self._levels) - 1)
        level = self._levels[i]
        grown = np.where(np.isnan(level), self.inner.sums(times) - self._within[i], level * (times - self._edges[i]))
        return np.where(times >= self.duration, self._sums[-1], self._sums[i] + grown)

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        i = np.minimum(np.searchsorted(self._sums[1:], counts, side="left"), len(self._levels) - 1)
        rest, level, begin = counts - self._sums[i], self._levels[i], self._edges[i]
        times: Floats = begin + rest / np.maximum(np.where(np.isnan(level), 1.0, level), 1e-300)
        free = np.isnan(level)
        if free.any():
            times[free] = self.inner.when(np.minimum(self._within[i] + rest, self.inner.total)[free])
        return np.clip(times, begin, self._edges[i + 1])

    def turns(self) -> Floats:
        """The turns of the inner plan and its crossings of the limits."""
        return self._edges


def _crossings(plan: Plan, turns: Floats, levels: list[float]) -> Floats:
    edges: npt.NDArray[np.float64] = turns
    # Just before the next turn: at the turn itself the rate may have jumped.
    ends = np.nextafter(turns[1:], 0.0)
    starts_at, ends_at = plan.rates(turns[:-1]), plan.rates(ends)
    for level in levels:
        crossing = (starts_at > level) != (ends_at > level)
        if crossing.any():
            found = bisect(lambda t, level=level: plan.rates(t) > level, turns[:-1][crossing], ends[crossing])  # type: ignore[misc]
            edges = np.union1d(edges, found)
    return edges
