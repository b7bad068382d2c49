"""Our metrics through an exporter of opentelemetry-sdk.

Source: the data model of opentelemetry.sdk.metrics.export.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall.errors import SeawallError
from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Family, Sample
from seawall.observe.export._buckets import exponential
from seawall.observe.export._missing import needed
from seawall.observe.export._otlp_message import UNITS, Starts, is_id
from seawall.observe.export._source import Source, snapshots_of


class SdkExport:
    """Hands snapshots to a `MetricExporter` of opentelemetry-sdk; give it to a `Pusher`.

    For who has set up such an exporter, by gRPC or of a vendor, and wants ours to go there. `Otlp` needs no SDK, and
    keeps what a collector does not take.

    Guarantees: histograms are exponential ones of at most 160 buckets, as in `Otlp`; their `min` and `max` are the
    bounds of the outermost buckets of ours.
    Thread safety: one thread at a time pushes.

    Args:
        exporter: Such as `opentelemetry.exporter.otlp.proto.grpc.metric_exporter.OTLPMetricExporter()`.
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        resource: Attributes of who tells it, such as {"service.name": "shop"}, beside those of the environment.

    Raises:
        ConfigError: opentelemetry-sdk is not installed, or the source gives no snapshots.
        SeawallError: by `push`, where the exporter says that it failed.
    """

    def __init__(self, exporter: Any, source: Source, *, resource: Mapping[str, str] | None = None) -> None:
        self._sdk: Any = needed("opentelemetry.sdk.metrics.export", "SdkExport", "opentelemetry-sdk", "otel-sdk")
        self._metrics: Any = needed("opentelemetry.sdk.metrics", "SdkExport", "opentelemetry-sdk", "otel-sdk")
        resources: Any = needed("opentelemetry.sdk.resources", "SdkExport", "opentelemetry-sdk", "otel-sdk")
        scopes: Any = needed("opentelemetry.sdk.util.instrumentation", "SdkExport", "opentelemetry-sdk", "otel-sdk")
        self._resource = resources.Resource.create(dict(resource or {}))
        self._scope = scopes.InstrumentationScope("seawall")
        self._exporter = exporter
        self._snapshot = snapshots_of(source)
        self._starts = Starts()

    def push(self) -> None:
        """Take a snapshot and export it."""
        result = self._exporter.export(self.data())
        if result is not None and result is not self._sdk.MetricExportResult.SUCCESS:
            raise SeawallError(f"{type(self._exporter).__name__} could not export the metrics")

    def close(self) -> None:
        """Let the exporter send what it holds; it stays its owner's to shut down."""
        self._exporter.force_flush()

    def data(self) -> Any:
        """The next snapshot as `MetricsData`."""
        snapshot = self._snapshot()
        starts = self._starts.seen(snapshot)
        metrics = []
        for family in filter(lambda each: each.samples, snapshot.families):
            times = [
                (round(starts.get((family.name, sample.labels), snapshot.at) * 1e9), round(snapshot.at * 1e9))
                for sample in family.samples
            ]
            points = [self._point(sample, *at) for sample, at in zip(family.samples, times, strict=True)]
            unit = UNITS.get(family.unit, family.unit)
            metrics.append(self._sdk.Metric(family.name, family.help, unit, self._of_kind(family, points)))
        scoped = self._sdk.ScopeMetrics(scope=self._scope, metrics=metrics, schema_url="")
        return self._sdk.MetricsData([self._sdk.ResourceMetrics(self._resource, [scoped], schema_url="")])

    def _of_kind(self, family: Family, points: list[Any]) -> Any:
        cumulative = self._sdk.AggregationTemporality.CUMULATIVE
        if family.kind == "gauge":
            return self._sdk.Gauge(points)
        if family.kind == "counter":
            return self._sdk.Sum(points, cumulative, is_monotonic=True)
        return self._sdk.ExponentialHistogram(points, cumulative)

    def _point(self, sample: Sample, start: int, at: int) -> Any:
        labels, exemplars = dict(sample.labels), [self._exemplar(each) for each in sample.exemplars]
        if not isinstance(sample.value, Distribution):
            return self._sdk.NumberDataPoint(labels, start, at, sample.value, exemplars)
        held = sample.value
        told = exponential(held, finest=20, coarsest=-10, dense=True)
        first = told.indices[0] if told.indices else 0
        filled = [0] * (told.indices[-1] - first + 1 if told.indices else 0)
        for index, count in zip(told.indices, told.counts, strict=True):
            filled[index - first] = count
        return self._sdk.ExponentialHistogramDataPoint(
            attributes=labels,
            start_time_unix_nano=start,
            time_unix_nano=at,
            count=held.count,
            sum=held.sum,
            scale=told.scale,
            zero_count=told.zero_count,
            positive=self._sdk.Buckets(offset=first, bucket_counts=filled),
            negative=self._sdk.Buckets(offset=0, bucket_counts=[]),
            flags=0,
            min=held.quantile(0.0) if held.count else 0.0,
            max=held.quantile(1.0) if held.count else 0.0,
            exemplars=exemplars,
        )

    def _exemplar(self, exemplar: Exemplar) -> Any:
        ids = {name: int(value, 16) for name, value in exemplar.labels if is_id(name, value)}
        rest = {name: value for name, value in exemplar.labels if name not in ids}
        at = max(0, round(exemplar.at * 1e9))
        return self._metrics.Exemplar(rest, exemplar.value, at, ids.get("span_id"), ids.get("trace_id"))
