"""opentelemetry-sdk: a counter and a histogram behind a reader in memory."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from benchmarks._case import Probe, is_none
from benchmarks.versus._kinds import CODES, VALUES, Makers


def _points(reader: InMemoryMetricReader) -> list[object]:
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]


def _inc_labelled() -> Probe:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    counter = provider.get_meter("benchmarks").create_counter("served")
    for code in CODES:
        counter.add(0, {"method": "GET", "code": code})
    statement = 'counter.add(1, {"method": "GET", "code": x})'
    total = lambda: sum(int(point.value) for point in _points(reader))  # type: ignore[attr-defined] # noqa: E731
    return Probe(statement, {"counter": counter}, is_none, total, over=CODES)


def _observe() -> Probe:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    histogram = provider.get_meter("benchmarks").create_histogram("latency")
    total = lambda: sum(int(point.count) for point in _points(reader))  # type: ignore[attr-defined] # noqa: E731
    return Probe("histogram.record(x)", {"histogram": histogram}, is_none, total, over=VALUES[:4_096])


def inc_labelled() -> Makers:
    """Find a series by its labels and add one."""
    return {"Counter.add": _inc_labelled}


def observe() -> Makers:
    """Observe one value."""
    return {"Histogram.record": _observe}
