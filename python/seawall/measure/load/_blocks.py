"""Response times by blocks of the run, for what must know how they vary over time."""

from __future__ import annotations

from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval

MOST_BLOCKS = 64
# Shorter blocks would depend on each other: a stall of a garbage collector or a scheduler fits inside.
_SHORTEST = 0.1


class Blocks:
    """At most 64 histograms, one for each equal part of the plan, filled by due time. For one event loop.

    Args:
        duration: Length of the plan, in seconds.
        longest: The longest time a histogram has to hold, in seconds.
    """

    def __init__(self, *, duration: float, longest: float) -> None:
        self._number = max(1, min(MOST_BLOCKS, int(duration / _SHORTEST)))
        self._width = duration / self._number
        self._longest = longest
        self._made: dict[int, Histogram] = {}

    def record(self, due: float, seconds: float) -> None:
        """A request that was due then took so long."""
        # Sums of floats may put the last request a hair behind the end.
        i = min(int(due / self._width), self._number - 1)
        if i not in self._made:
            self._made[i] = Histogram(highest=self._longest)
        self._made[i].record(seconds)

    def intervals(self) -> tuple[HlogInterval, ...]:
        """The blocks in which requests ended, in order of time."""
        return tuple(HlogInterval(i * self._width, self._width, None, self._made[i]) for i in sorted(self._made))
