"""What is usual, learned so that a few odd values change little: a center and a spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

# A normal distribution's standard deviation, in median and in mean absolute deviations.
_OF_MEDIAN, _OF_MEAN = 1.4826, 1.2533
_CLIP = 3.0


class Floor(NamedTuple):
    """The least spread that is believed: the larger of a number and a share of the center."""

    least: float
    share: float

    def under(self, spread: float, center: float) -> float:
        """The spread, or the floor where that is larger; never 0."""
        return max(spread, self.least, self.share * abs(center), 1e-300)


class Learned(NamedTuple):
    """What is known of a series so far.

    Attributes:
        early: The values of the warm-up, until there are enough.
        center: What is usual; of no meaning during warm-up.
        spread: How far values usually lie from it, as a standard deviation; 0 during warm-up.
    """

    early: tuple[float, ...] = ()
    center: float = 0.0
    spread: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether the warm-up is over."""
        return self.spread > 0


def median(values: Sequence[float]) -> float:
    """The middle of values of which there is at least one."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def center_and_spread(values: Sequence[float], floor: Floor) -> tuple[float, float]:
    """Median, and the standard deviation that the median absolute deviation stands for.

    Where more than half of the values are alike that is 0, and the mean absolute deviation takes its place.

    Source: B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers (1993).
    """
    center = median(values)
    deviations = [abs(value - center) for value in values]
    spread = _OF_MEDIAN * median(deviations) or _OF_MEAN * math.fsum(deviations) / len(deviations)
    return center, floor.under(spread, center)


def learn(known: Learned, value: float, *, warm_up: int, memory: int | None, floor: Floor) -> Learned:
    """What is known with one more value.

    After the warm-up, center and spread follow with the weight 1 / memory; a value far out counts as one at three
    spreads, so that a new level becomes usual in the end and an outlier hardly counts.
    """
    if not known.ready:
        early = (*known.early, value)
        return Learned(early) if len(early) < warm_up else Learned((), *center_and_spread(early, floor))
    if memory is None:
        return known
    step = max(-_CLIP * known.spread, min(_CLIP * known.spread, value - known.center))
    spread = known.spread + (_OF_MEAN * abs(step) - known.spread) / memory
    center = known.center + step / memory
    return Learned((), center, floor.under(spread, center))
