"""The percentile distribution as text, line by line what HdrHistogram prints.

Source: HdrHistogram, AbstractHistogram.outputPercentileDistribution and PercentileIterator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seawall._core import bulk

if TYPE_CHECKING:
    from seawall.measure._histogram import Histogram


def write_hgrm(histogram: Histogram, ticks: int, unit: float) -> str:
    """See Histogram.to_hgrm."""
    if isinstance(ticks, bool) or not isinstance(ticks, int) or ticks < 1:
        raise ValueError(f"ticks_per_half_distance must be a whole number from 1, got {ticks!r}; 5 is usual")
    if not 0 < unit < math.inf:
        raise ValueError(f"unit must be positive and finite, got {unit!r}; 1e-3 prints milliseconds")
    digits, sub_buckets, buckets = histogram._layout()[2:5]
    scale = unit * 1e9
    counts, lows = bulk.counts(histogram._capsule()), bulk.lows(histogram._capsule())
    used = counts.nonzero()[0]
    highs, totals = (lows[used + 1] - 1).tolist(), counts[used].cumsum().tolist()
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} 1/(1-Percentile)\n"]
    for level, i in _steps(totals, ticks):
        far = "" if level == 100.0 else f" {1 / (1 - level / 100):14.2f}"
        lines.append(f"{highs[i] / scale:12.{digits}f} {level / 100:2.12f} {totals[i]:10d}{far}")
    mean, deviation = (histogram._middle_mean() / unit, histogram.stddev / unit) if totals else (0.0, 0.0)
    largest, total = (highs[-1] / scale, totals[-1]) if totals else (0.0, 0)
    lines += [
        f"#[Mean    = {mean:12.{digits}f}, StdDeviation   = {deviation:12.{digits}f}]",
        f"#[Max     = {largest:12.{digits}f}, Total count    = {total:12d}]",
        f"#[Buckets = {buckets:12d}, SubBuckets     = {sub_buckets:12d}]\n",
    ]
    return "\n".join(lines)


def _steps(totals: list[int], ticks: int) -> Iterator[tuple[float, int]]:
    """(percentile level, which used bucket reaches it), the level closing in on 100 by ever smaller ticks."""
    level, i = 0.0, 0
    while i < len(totals):
        if 100.0 * totals[i] / totals[-1] < level:
            i += 1
            continue
        yield level, i
        if totals[i] == totals[-1]:
            break
        halvings = int(math.log(100.0 / (100.0 - level)) / math.log(2)) if level < 100.0 else 0
        level += 100.0 / (ticks * 2.0 ** (halvings + 1))
    if totals and level != 100.0:
        yield 100.0, len(totals) - 1
