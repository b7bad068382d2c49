"""A plan that follows recorded arrivals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seawall.measure.load.pattern._plans import Floats, Pieces, Plan


@dataclass(frozen=True, eq=False)
class Track(Plan):
    """A plan whose integral is k + 1/2 at arrival k = 0, 1, ... and runs straight between two arrivals.

    So uniform arrivals are the recorded ones, and it can still be scaled. Arrivals at the same time make the integral
    jump; so do the first and the last, by the half that has no neighbour.

    Args:
        duration: Length of the run.
        times: Seconds from its start, in order, within it, at least one; equal or a nanosecond apart.
    """

    duration: float
    times: Floats = field(repr=False)

    def rates(self, times: Floats) -> Floats:
        """The rate at each of `times`: one over the gap between its neighbours."""
        i = np.searchsorted(self.times, times, side="right")
        inside = (i > 0) & (i < len(self.times))
        i = np.clip(i, 1, max(len(self.times) - 1, 1))
        gaps = self.times[np.minimum(i, len(self.times) - 1)] - self.times[i - 1]
        return np.where(inside, 1 / np.where(gaps > 0, gaps, np.inf), 0.0)

    def sums(self, times: Floats) -> Floats:
        """The integral up to each of `times`."""
        i = np.searchsorted(self.times, times, side="right")
        before = self.times[np.maximum(i - 1, 0)]
        gaps = self.times[np.minimum(i, len(self.times) - 1)] - before
        part = np.where(gaps > 0, (times - before) / np.where(gaps > 0, gaps, 1.0), 0.0)
        return np.where(i == 0, 0.0, np.where(i == len(self.times), len(self.times), i - 0.5 + part))

    def when(self, counts: Floats) -> Floats:
        """The times at which the integral reaches each of `counts`."""
        place = np.clip(counts - 0.5, 0.0, len(self.times) - 1)
        i = np.floor(place).astype(np.intp)
        after = self.times[np.minimum(i + 1, len(self.times) - 1)]
        times: Floats = self.times[i] + (after - self.times[i]) * (place - i)
        return times

    def turns(self) -> Floats:
        """The arrivals."""
        inside = self.times[self.times < self.duration]
        return np.union1d(inside, [0.0, self.duration])

    def spread(self) -> Plan:
        """The same arrivals as a rate that is level from each time to the next one."""
        # What comes with the last nanosecond has no room to be spread: it joins what came before.
        end = self.duration - 1e-9
        times, counts = np.unique(self.times[self.times < end], return_counts=True)
        late = int(np.count_nonzero(self.times >= end))
        if not times.size:
            times, counts = np.zeros(1), np.zeros(1, dtype=np.intp)
        counts[-1] += late
        if times[0] > 0:
            times, counts = np.concatenate([[0.0], times]), np.concatenate([[0], counts])
        lengths = np.diff(np.append(times, self.duration))
        return Pieces.level(lengths, counts / lengths)
