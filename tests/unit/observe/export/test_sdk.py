"""Snapshots through exporters of opentelemetry-sdk, whose own encoder tells what ours does."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
from tests.unit.observe.export.snapshots import shop, snapshots

from seawall.errors import ConfigError, SeawallError
from seawall.observe import Snapshot
from seawall.observe.export import Pusher, SdkExport, to_otlp


class Exporter(MetricExporter):
    """Keeps what it is told, or fails."""

    def __init__(self, result: MetricExportResult = MetricExportResult.SUCCESS) -> None:
        super().__init__()
        self.result = result
        self.told: list[Any] = []
        self.flushed = 0

    def export(self, metrics_data: Any, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        """Keep it, encoded as OTLP."""
        self.told.append(encode_metrics(metrics_data))
        return self.result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing waits."""
        self.flushed += 1
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Nothing is open."""


def metrics(request: Any) -> list[Any]:
    """The metrics of a request, without what only one of the encoders can tell."""
    found = request.resource_metrics[0].scope_metrics[0].metrics
    for metric in found:
        for point in metric.exponential_histogram.data_points if metric.WhichOneof("data") != "gauge" else ():
            for field in ("zero_threshold", "min", "max", "negative"):
                point.ClearField(field)
        for point in metric.gauge.data_points if metric.WhichOneof("data") == "gauge" else ():
            point.ClearField("start_time_unix_nano")
    return list(found)


@settings(max_examples=40)
@given(snapshots())
def test_the_sdk_tells_what_we_tell(snapshot: Snapshot) -> None:
    """Encoded by the SDK's exporter, any snapshot is our own message."""
    exporter = Exporter()
    SdkExport(exporter, snapshot).push()
    assert metrics(exporter.told[0]) == metrics(to_otlp(snapshot))


def test_resource_and_exemplars_are_told() -> None:
    """The resource that was asked for is beside the SDK's own, and exemplars lead to their trace."""
    exporter = Exporter()
    SdkExport(exporter, shop(), resource={"service.name": "shop"}).push()
    whole = exporter.told[0].resource_metrics[0]
    attributes = {each.key: each.value.string_value for each in whole.resource.attributes}
    assert (attributes["service.name"], attributes["telemetry.sdk.language"]) == ("shop", "python")
    assert metrics(exporter.told[0]) == metrics(to_otlp(shop()))
    (took,) = whole.scope_metrics[0].metrics[1].exponential_histogram.data_points
    assert took.exemplars[0].trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_min_and_max_are_bounds_of_buckets() -> None:
    """The SDK asks for extremes: they are within the digits of the histogram."""
    (metric,) = (m for m in SdkExport(Exporter(), shop()).data().resource_metrics[0].scope_metrics[0].metrics[1:2])
    (point,) = metric.data.data_points
    assert (point.min, point.max) == (pytest.approx(0.003, rel=1e-3), pytest.approx(30.0, rel=1e-3))


def test_a_failed_export_is_an_error_that_the_pusher_counts() -> None:
    """Nothing is silent, and the exporter is flushed at the end."""
    exporter = Exporter(MetricExportResult.FAILURE)
    with Pusher(SdkExport(exporter, shop()), every=3600) as pusher:
        pass
    assert (pusher.failures, exporter.flushed, len(exporter.told)) == (1, 1, 1)
    assert type(pusher.last_error) is SeawallError
    assert str(pusher.last_error) == "Exporter could not export the metrics"


def test_it_needs_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without opentelemetry-sdk the error says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics.export", None)
    with pytest.raises(ConfigError) as told:
        SdkExport(None, shop())
    assert str(told.value) == "SdkExport needs the library opentelemetry-sdk: pip install 'seawall[otel-sdk]'"
