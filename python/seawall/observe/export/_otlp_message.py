"""A snapshot as the message of OTLP.

Source: opentelemetry/proto/collector/metrics/v1; the OpenTelemetry metrics data model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Family, Labels, Sample, Snapshot
from seawall.observe.export._buckets import exponential
from seawall.observe.export._missing import needed

UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}
_FINEST, _COARSEST, _MOST = 20, -10, 160
_PATH = "opentelemetry.proto."

Key = tuple[str, Labels]


class Starts:
    """Since when each series counts: the first snapshot that had it, or the last before it began anew.

    Bounded by the series of the latest snapshot.
    """

    def __init__(self) -> None:
        self._known: dict[Key, tuple[float, float, float]] = {}

    def seen(self, snapshot: Snapshot) -> dict[Key, float]:
        """The start of each counter and histogram of the next snapshot."""
        known = {
            (family.name, sample.labels): self._next((family.name, sample.labels), _count(sample), snapshot.at)
            for family in snapshot.families
            if family.kind != "gauge"
            for sample in family.samples
        }
        self._known = known
        return {key: start for key, (start, _, _) in known.items()}

    def _next(self, key: Key, count: float, at: float) -> tuple[float, float, float]:
        start, before, then = self._known.get(key, (at, 0.0, at))
        return (then if count < before else start, count, at)


def to_otlp(
    snapshot: Snapshot, *, resource: Mapping[str, str] | None = None, starts: Mapping[Key, float] | None = None
) -> Any:
    """A snapshot as an ExportMetricsServiceRequest of opentelemetry-proto.

    Counters are cumulative monotonic sums, histograms cumulative exponential histograms of at most 160 buckets, as
    fine as ours are or as 160 allow; a quantile is off by at most one bucket of either. Exemplars that lead to a trace
    have its ids.

    Args:
        snapshot: What is to be told.
        resource: Attributes of who tells it, such as {"service.name": "shop"}.
        starts: Since when series count, in unix seconds; by default since the snapshot, which says: not known.

    Raises:
        ConfigError: opentelemetry-proto is not installed.
    """
    service = _module("collector.metrics.v1.metrics_service_pb2")
    request = service.ExportMetricsServiceRequest()
    whole = request.resource_metrics.add()
    _put(whole.resource.attributes, tuple((resource or {}).items()))
    scope = whole.scope_metrics.add()
    scope.scope.name = "seawall"
    for family in filter(lambda each: each.samples, snapshot.families):
        metric = scope.metrics.add(name=family.name, description=family.help)
        metric.unit = UNITS.get(family.unit, family.unit)
        points = _points(metric, family)
        for sample in family.samples:
            start = (starts or {}).get((family.name, sample.labels), snapshot.at)
            _point(points.add(), sample, snapshot.at, None if family.kind == "gauge" else start)
    return request


def _points(metric: Any, family: Family) -> Any:
    if family.kind == "gauge":
        metric.gauge.SetInParent()
        return metric.gauge.data_points
    cumulative = _module("metrics.v1.metrics_pb2").AGGREGATION_TEMPORALITY_CUMULATIVE
    if family.kind == "counter":
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = cumulative
        return metric.sum.data_points
    metric.exponential_histogram.aggregation_temporality = cumulative
    return metric.exponential_histogram.data_points


def _point(point: Any, sample: Sample, at: float, start: float | None) -> None:
    _put(point.attributes, sample.labels)
    point.time_unix_nano = round(at * 1e9)
    if start is not None:
        point.start_time_unix_nano = round(start * 1e9)
    if isinstance(sample.value, Distribution):
        _histogram(point, sample.value)
    else:
        point.as_double = sample.value
    for exemplar in sample.exemplars:
        _exemplar(point.exemplars.add(), exemplar)


def _histogram(point: Any, held: Distribution) -> None:
    told = exponential(held, finest=_FINEST, coarsest=_COARSEST, most=_MOST, dense=True)
    point.count, point.sum, point.scale = held.count, held.sum, told.scale
    point.zero_count, point.zero_threshold = told.zero_count, told.zero_threshold
    if told.indices:
        first = told.indices[0]
        filled = [0] * (told.indices[-1] - first + 1)
        for index, count in zip(told.indices, told.counts, strict=True):
            filled[index - first] = count
        point.positive.offset = first
        point.positive.bucket_counts.extend(filled)


def _exemplar(told: Any, exemplar: Exemplar) -> None:
    rest = []
    for name, value in exemplar.labels:
        if is_id(name, value):
            setattr(told, name, bytes.fromhex(value))
        else:
            rest.append((name, value))
    _put(told.filtered_attributes, tuple(rest))
    told.as_double, told.time_unix_nano = exemplar.value, max(0, round(exemplar.at * 1e9))


def is_id(name: str, text: str) -> bool:
    """Whether a label is the id of a trace or of a span."""
    length = {"trace_id": 32, "span_id": 16}.get(name)
    return len(text) == length and all(digit in "0123456789abcdefABCDEF" for digit in text)


def _put(attributes: Any, labels: Labels) -> None:
    for name, value in labels:
        attributes.add(key=name).value.string_value = value.encode("utf-8", "replace").decode()


def _count(sample: Sample) -> float:
    return sample.value.count if isinstance(sample.value, Distribution) else sample.value


def _module(name: str) -> Any:
    return needed(_PATH + name, "OTLP", "opentelemetry-proto", "otel")
