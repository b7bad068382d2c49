"""A pattern in less time, for quick runs of tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seawall.measure.load import Pattern, Plan

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hurried(Pattern):
    """The same rates in `scale` of the time: spikes, stages and recordings keep their shape, with fewer requests."""

    pattern: Pattern
    scale: float

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"{self.pattern.describe()} in {self.scale:g} of the time"

    def _over(self, duration: float) -> Plan:
        return _Shrunk(self.pattern.over(duration / self.scale), self.scale)


@dataclass(frozen=True, slots=True)
class _Shrunk(Plan):
    inner: Plan
    scale: float

    @property
    def duration(self) -> float:  # type: ignore[override]
        """What is left of the inner plan's."""
        return self.inner.duration * self.scale

    @property
    def straight(self) -> bool:
        """As the inner plan."""
        return self.inner.straight

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`."""
        return self.inner.rates(self._inner_times(times))

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        return self.inner.sums(self._inner_times(times)) * self.scale

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        return self.inner.when(np.minimum(counts / self.scale, self.inner.total)) * self.scale

    def turns(self) -> Floats:
        """The inner plan's, sooner."""
        return self.inner.turns() * self.scale

    def spread(self) -> Plan:
        """The plan without instants."""
        return _Shrunk(self.inner.spread(), self.scale)

    def _inner_times(self, times: Floats) -> Floats:
        return np.minimum(times / self.scale, self.inner.duration)
