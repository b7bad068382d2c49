"""A histogram in the forms that monitoring systems take.

Source: the Prometheus text exposition format 0.0.4; the OpenTelemetry metrics data model, ExponentialHistogram.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from seawall._core import bulk

if TYPE_CHECKING:
    import numpy.typing as npt

    from seawall.measure._histogram import Histogram

DEFAULT_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LEAST_SCALE = -10


def counts_up_to(histogram: Histogram, bounds: Iterable[float]) -> list[int]:
    """How many values do not exceed each bound; the bucket that holds a bound counts whole.

    Of a clipped value only that it is above `highest` is known, so it is up to no bound.
    """
    counts, lows = histogram.counts(), bulk.lows(histogram._capsule())[:-1].tolist()
    totals = [0, *counts.cumsum().tolist()]
    top = bisect.bisect_right(lows, histogram._layout()[1])
    places = [bisect.bisect_right(lows, round(bound * 1e9)) for bound in bounds]
    return [totals[place] - (histogram.clipped if place >= top else 0) for place in places]


def to_prometheus(histogram: Histogram, metric: str, bounds: Iterable[float], labels: Mapping[str, str]) -> str:
    """See LatencyAnalyzer.to_prometheus."""
    limits = _checked_bounds(bounds)
    if not _METRIC.fullmatch(metric):
        raise ValueError(f"metric must be letters, digits, _ and :, and start with no digit, got {metric!r}")
    held = "".join(f'{_checked_label(key)}="{_escaped(value)}",' for key, value in labels.items())
    plain = f"{{{held[:-1]}}}" if held else ""
    lines = [f"# HELP {metric} Latency in seconds.", f"# TYPE {metric} histogram"]
    for bound, count in zip(limits, counts_up_to(histogram, limits), strict=True):
        lines.append(f'{metric}_bucket{{{held}le="{bound}"}} {count}')
    lines.append(f'{metric}_bucket{{{held}le="+Inf"}} {histogram.count}')
    lines += [f"{metric}_sum{plain} {histogram.sum}", f"{metric}_count{plain} {histogram.count}"]
    return "\n".join(lines) + "\n"


def _checked_bounds(bounds: Iterable[float]) -> list[float]:
    limits = [float(bound) for bound in bounds]
    rising = all(low < high for low, high in itertools.pairwise(limits))
    if not rising or not all(0 < bound < math.inf for bound in limits):
        raise ValueError(f"bounds must be positive, finite and rising, got {limits}; +Inf is added by itself")
    return limits


def _checked_label(name: str) -> str:
    if not _LABEL.fullmatch(name) or name == "le":
        raise ValueError(f"a label must be letters, digits and _, start with no digit, and not be 'le', got {name!r}")
    return name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def to_otlp(histogram: Histogram, max_buckets: int) -> dict[str, Any]:
    """See LatencyAnalyzer.to_otlp."""
    if isinstance(max_buckets, bool) or not isinstance(max_buckets, int) or max_buckets < 2:
        raise ValueError(f"max_buckets must be a whole number from 2, got {max_buckets!r}; 160 is usual")
    counts, edges = histogram.counts(), histogram.edges()
    used = counts[1:].nonzero()[0] + 1
    scale, places = _scaled((edges[used] + edges[used + 1]) / 2, histogram.digits, max_buckets)
    offset = min(places, default=0)
    filled = [0] * (max(places, default=-1) - offset + 1)
    for place, count in zip(places, counts[used].tolist(), strict=True):
        filled[place - offset] += count
    extremes = {"min": histogram.min, "max": histogram.max} if histogram.count else {}
    return {
        "count": histogram.count,
        "sum": histogram.sum,
        **extremes,
        "scale": scale,
        "zero_count": int(counts[0]),
        "zero_threshold": float(edges[1]),
        "positive": {"offset": offset, "bucket_counts": filled},
    }


def _scaled(values: npt.NDArray[Any], digits: int, max_buckets: int) -> tuple[int, list[int]]:
    """(the finest scale at which the values fit, the index of each): index i holds base**i < value <= base**(i + 1)."""
    import numpy as np

    # Finer than a bucket of ours would claim what was never measured.
    scale = int(math.log2(math.log(2) * 10**digits))
    while True:
        places = (np.ceil(np.log2(values) * 2.0**scale) - 1).astype(np.int64).tolist()
        if scale == _LEAST_SCALE or not places or max(places) - min(places) < max_buckets:
            return scale, places
        scale -= 1
