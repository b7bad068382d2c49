"""The metrics of a registry of prometheus-client as a snapshot."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from seawall.observe._distribution import Distribution, Layout, edges_of
from seawall.observe._snapshot import Exemplar, Family, Kind, Labels, Sample, Snapshot

_MOST_NS = 1 << 61


def from_registry(registry: Any, at: float) -> Snapshot:
    """What a registry of prometheus-client holds, so that alerts, signals and our exports see it, too.

    Counters and gauges are exact. Of a histogram, what is in a bucket counts at its upper bound, and what is above the
    last bound right behind that: counts up to each bound are exact, quantiles are the upper bound of their bucket.
    Summaries, and histograms of negative values, become counters of their `_count` and `_sum`; infos, states and
    untyped values become gauges.

    Args:
        registry: Such as `prometheus_client.REGISTRY`.
        at: The time of the snapshot, in unix seconds; they must grow.
    """
    families: dict[str, Family] = {}
    for metric in registry.collect():
        for family in _families(metric):
            families.setdefault(family.name, family)
    return Snapshot(at, tuple(families[name] for name in sorted(families)))


def _families(metric: Any) -> Iterator[Family]:
    if metric.type == "counter":
        totals = (sample for sample in metric.samples if not sample.name.endswith("_created"))
        yield _family(metric, metric.name, "counter", totals)
    elif metric.type == "histogram" and all(_bound(sample) >= 0 for sample in _buckets(metric.samples)):
        yield Family(metric.name, "histogram", tuple(_histograms(metric.samples)), metric.documentation, metric.unit)
    else:
        counted = metric.type in ("histogram", "summary")
        for name, samples in itertools.groupby(sorted(metric.samples, key=_name), key=_name):
            if not name.endswith(("_created", "_bucket")):
                kind: Kind = "counter" if counted and name.endswith(("_count", "_sum")) else "gauge"
                yield _family(metric, name, kind, samples)


def _family(metric: Any, name: str, kind: Kind, samples: Iterable[Any]) -> Family:
    made = (
        Sample(_labels(sample.labels), float(sample.value), tuple(_exemplars(sample.exemplar))) for sample in samples
    )
    return Family(name, kind, tuple(made), metric.documentation, metric.unit if name == metric.name else "")


def _histograms(samples: Iterable[Any]) -> Iterator[Sample]:
    series: dict[Labels, list[Any]] = defaultdict(list)
    sums: dict[Labels, float] = {}
    for sample in samples:
        labels = _labels({name: value for name, value in sample.labels.items() if name != "le"})
        if sample.name.endswith("_bucket"):
            series[labels].append(sample)
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    for labels, found in series.items():
        rising = sorted(found, key=_bound)
        exemplars = tuple(exemplar for sample in rising for exemplar in _exemplars(sample.exemplar))
        yield Sample(labels, _distribution(rising, sums.get(labels, math.nan)), exemplars)


def _distribution(rising: list[Any], total: float) -> Distribution:
    import numpy as np

    bounds = [bound for sample in rising if math.isfinite(bound := _bound(sample))]
    layout = _layout(bounds)
    edges = edges_of(layout)
    at = [int(edges.searchsorted(bound, side="right")) - 1 for bound in bounds]
    places = [*at, at[-1] + 1 if at else 0][: len(rising)]
    counts = [int(b.value) - int(a) for a, b in zip([0, *(s.value for s in rising)], rising, strict=False)]
    held: dict[int, int] = defaultdict(int)
    for place, count in zip(places, counts, strict=True):
        held[place] += count
    used = sorted(place for place, count in held.items() if count > 0)
    filled = np.asarray([held[place] for place in used], dtype=np.uint64)
    return Distribution(layout, np.asarray(used, dtype=np.int64), filled, float(total))


def _layout(bounds: list[float]) -> Layout:
    """A layout that tells the bounds apart, and has room behind the last: the same for the same bounds."""
    positive = [bound for bound in bounds if bound > 0] or [1.0]
    nearest = min((1 - low / high for low, high in itertools.pairwise(positive)), default=1.0)
    digits = min(max(math.ceil(-math.log10(nearest)) + 1, 2), 5)
    lowest = min(max(round(positive[0] * 1e8), 1), _MOST_NS >> 20)
    return lowest, min(max(round(positive[-1] * 2e9), 4 * lowest), _MOST_NS), digits


def _buckets(samples: Iterable[Any]) -> Iterator[Any]:
    return (sample for sample in samples if sample.name.endswith("_bucket"))


def _bound(sample: Any) -> float:
    return float(sample.labels["le"])


def _name(sample: Any) -> str:
    return str(sample.name)


def _labels(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _exemplars(exemplar: Any) -> Iterator[Exemplar]:
    if exemplar is not None:
        yield Exemplar(_labels(exemplar.labels), float(exemplar.value), float(exemplar.timestamp or 0.0))
