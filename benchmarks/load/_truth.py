"""What must come out of a stall, by arithmetic from the plan alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.load._told import PERCENTS


def stalled(rate: float, seconds: float, begins: float, length: float, *, capacity: float = math.inf) -> list[float]:
    """Response times of evenly spaced requests, in order of due time, where nothing but one stall takes time.

    A request that is due in the stall waits for its end, and for those before it, which are answered at `capacity`.

    Args:
        rate: Requests a second.
        seconds: Length of the plan.
        begins: When the server stands still, in seconds of the plan.
        length: For how long.
        capacity: Answers a second of a server that has work waiting.
    """
    times, ends = [], begins + length
    for k in range(round(rate * seconds)):
        due = (k + 0.5) / rate
        ahead = max(k + 1 - math.ceil(begins * rate - 0.5), 0)  # requests due in the stall or since, this one included
        times.append(max(ends + ahead / capacity - due, 0.0) if due >= begins else 0.0)
    return times


def percentiles(times: Sequence[float]) -> dict[float, float]:
    """The least value that so many percent do not exceed; the greatest as 100."""
    ordered = sorted(times)
    places = {percent: math.ceil(percent / 100 * len(ordered)) - 1 for percent in (*PERCENTS, 100.0)}
    return {percent: ordered[place] for percent, place in places.items()}
