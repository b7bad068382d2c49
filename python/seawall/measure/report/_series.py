"""The numbers that plots draw, taken out of a result."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from seawall.measure._histogram import Histogram
from seawall.measure.load.result._result import LoadResult
from seawall.measure.report._thin import Point


def span(result: LoadResult) -> float:
    """Where the time line of a run ends, in seconds from its start, its warm-up included."""
    ends = [
        result.duration,
        len(result.throughput.sent) * result.throughput.interval,
        *(result.warmup + block.start + block.duration for block in result.blocks[-1:]),
        *(part.start + part.duration for part in result.phases),
        *(note.at for note in result.notes),
    ]
    return max(ends)


def slices(result: LoadResult, counts: Sequence[float]) -> list[Point]:
    """Counts a slice as rates a second, each at the beginning of its slice; the first ones are of the warm-up."""
    interval = result.throughput.interval
    return [(i * interval, count / interval) for i, count in enumerate(counts)]


def failed(result: LoadResult) -> list[int]:
    """Requests a slice that ended without success."""
    series = result.throughput
    return [done - well for done, well in zip(series.completed, series.succeeded, strict=True)]


def under_way(result: LoadResult) -> list[Point]:
    """Requests sent and not ended at the end of each slice."""
    series = result.throughput
    waiting = itertools.accumulate(a - b for a, b in zip(series.sent, series.completed, strict=True))
    return [((i + 1) * series.interval, float(max(n, 0))) for i, n in enumerate(waiting)]


def slowest(result: LoadResult) -> tuple[list[Point], float]:
    """The longest response time a slice, with the width of a slice; of blocks where the run kept no slices."""
    series = result.throughput
    if any(series.slowest):
        starts = (i * series.interval for i in range(len(series.slowest)))
        return [(x, y or None) for x, y in zip(starts, series.slowest, strict=True)], series.interval
    return block_points(result, lambda times: times.max), block_width(result)


def block_width(result: LoadResult) -> float:
    """The length of a block, in seconds."""
    return result.blocks[0].duration if result.blocks else 1.0


def block_points(result: LoadResult, figure: Callable[[Histogram], float]) -> list[Point]:
    """A figure of each block at its beginning, with gaps where no request was due or none ended."""
    points: list[Point] = []
    end = None
    for block in result.blocks:
        start = result.warmup + block.start
        if end is not None and start > end + 1e-6:
            points.append((end, None))
        points.append((start, figure(block.histogram) if block.histogram.count else None))
        end = start + block.duration
    return points


def block_percentiles(result: LoadResult, percentile: float) -> list[Point]:
    """A percentile of each block at its beginning."""
    return block_points(result, lambda times: float(times.percentile(percentile)))


def curve(times: Histogram, most: int = 160) -> list[tuple[float, float]]:
    """The percentile curve up to the maximum, as (log10(1 / (1 - p)), seconds)."""
    end = max(math.log10(max(times.count, 2)), 1.0)
    places = [end * i / most for i in range(most)]
    values = times.percentiles([100 * (1 - 10**-place) for place in places])
    # Flat stretches need only their ends.
    points = [*zip(places, map(float, values), strict=True), (end, times.max)]
    inner = [b for a, b, c in zip(points, points[1:], points[2:], strict=False) if not a[1] == b[1] == c[1]]
    return [points[0], *inner, points[-1]]
