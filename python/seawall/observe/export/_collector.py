"""Our metrics in a registry of prometheus-client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Sample
from seawall.observe.export._buckets import Bounds, bounds_of
from seawall.observe.export._missing import needed
from seawall.observe.export._series import Named, buckets, labels_of, last_exemplar, named
from seawall.observe.export._source import Source, snapshots_of


class SeawallCollector:
    """A collector for `prometheus_client.REGISTRY.register(...)`: who has that endpoint keeps one endpoint.

    Histograms are classic ones: prometheus-client's collectors have no native ones.

    Thread safety: any thread.

    Args:
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        bounds: Of the classic buckets of histograms, as in `to_prometheus`.

    Raises:
        ConfigError: prometheus-client is not installed, or the source gives no snapshots.
    """

    def __init__(self, source: Source, *, bounds: Bounds | None = None) -> None:
        self._core = needed("prometheus_client.metrics_core", "SeawallCollector", "prometheus-client", "prometheus")
        self._samples = needed("prometheus_client.samples", "SeawallCollector", "prometheus-client", "prometheus")
        self._snapshot = snapshots_of(source)
        self._bounds = bounds

    def describe(self) -> Iterable[Any]:
        """Nothing: which metrics there are may change at any time."""
        return ()

    def collect(self) -> Iterator[Any]:
        """The metrics of this moment, as prometheus-client has them."""
        for each in named(self._snapshot()):
            name, family = each
            metric = self._core.Metric(name, family.help, family.kind, family.unit if _ends(each) else "")
            for sample in family.samples:
                self._add(metric, each, sample)
            yield metric

    def _add(self, metric: Any, each: Named, sample: Sample) -> None:
        name, family = each
        labels = dict(labels_of(sample, family))
        if not isinstance(sample.value, Distribution):
            last = last_exemplar(sample) if family.kind == "counter" else None
            total = f"{name}_total" if family.kind == "counter" else name
            metric.add_sample(total, labels, sample.value, exemplar=self._exemplar(last))
            return
        for bound, count, exemplar in buckets(sample, sample.value, bounds_of(family, self._bounds)):
            le = {"le": "+Inf" if bound == float("inf") else repr(bound)}
            metric.add_sample(f"{name}_bucket", labels | le, count, exemplar=self._exemplar(exemplar))
        metric.add_sample(f"{name}_count", labels, sample.value.count)
        metric.add_sample(f"{name}_sum", labels, sample.value.sum)

    def _exemplar(self, exemplar: Exemplar | None) -> Any:
        return None if exemplar is None else self._samples.Exemplar(dict(exemplar.labels), exemplar.value, exemplar.at)


def _ends(each: Named) -> bool:
    return each.name.endswith(f"_{each.family.unit}")
