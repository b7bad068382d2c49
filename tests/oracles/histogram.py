"""The histogram, slow and obvious: a sorted list of integers, and buckets that are listed one by one."""

from __future__ import annotations

import bisect
import math
from fractions import Fraction


def bucket_edges(lowest: int, highest: int, digits: int) -> list[int]:
    """Where each of HdrHistogram's buckets begins, and where the last one ends."""
    width = 1
    while width * 2 <= lowest:
        width *= 2
    per_octave = 1
    while per_octave < 2 * 10**digits:
        per_octave *= 2
    edges = [i * width for i in range(per_octave + 1)]
    # HdrHistogram keeps half an octave more than a highest value at the very end of the last one needs.
    while edges[-1] <= highest:
        width *= 2
        edges += [edges[-1] + (i + 1) * width for i in range(per_octave // 2)]
    return edges


class SlowHistogram:
    """Keeps every value. Integers, as in the kernel."""

    def __init__(self, lowest: int, highest: int, digits: int) -> None:
        self.highest = highest
        self.edges = bucket_edges(lowest, highest, digits)
        self.values: list[int] = []
        self.clipped = 0

    def record(self, value: int) -> None:
        """Keep the value, clipped to highest."""
        self.clipped += value > self.highest
        bisect.insort(self.values, min(value, self.highest))

    def record_corrected(self, value: int, interval: int) -> None:
        """Keep the value and those it held up, one by one."""
        self.record(value)
        missing = min(value, self.highest) - interval
        while interval > 0 and missing >= interval:
            self.record(missing)
            missing -= interval

    def index(self, value: int) -> int:
        """Which bucket a value is in."""
        return bisect.bisect_right(self.edges, value) - 1

    def counts(self) -> list[int]:
        """How many values every bucket has."""
        counts = [0] * (len(self.edges) - 1)
        for value in self.values:
            counts[self.index(value)] += 1
        return counts

    def percentile(self, percent: float) -> int:
        """The exact value by nearest rank."""
        rank = math.ceil(Fraction(percent) * len(self.values) / 100)
        return self.values[max(rank, 1) - 1]

    def middles(self) -> list[int]:
        """Every value, moved to the middle of its bucket."""
        return [(self.edges[i] + self.edges[i + 1]) // 2 for i in map(self.index, self.values)]
