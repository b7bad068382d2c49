"""The registry and what is made of its snapshots agree."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed_prometheus
from tests.unit.observe.export.snapshots import NASTY

from seawall.observe.export import to_openmetrics, to_prometheus
from seawall.observe.panels import guard_panels, resource_panels


def read(parsed: Any) -> dict[str, Any]:
    """All that was read, family by family."""
    return {
        family.name: (
            family.type,
            family.unit,
            family.documentation,
            sorted((s.name, sorted(s.labels.items()), s.value, _beside(s.exemplar)) for s in family.samples),
        )
        for family in parsed
    }


def _beside(exemplar: Any) -> Any:
    """An exemplar without its time, which is told more or less exactly."""
    return exemplar and (exemplar.labels, exemplar.value)


@pytest.fixture
def metrics() -> Any:
    """A registry with all kinds, awkward labels and exemplars."""
    made = pytest.importorskip("seawall.observe.metrics", reason="the registry is not there yet").Metrics()
    made.counter("http_requests_total", 'Of "all".\nReally \\o/.', labels=("route",)).labels(NASTY).inc(5)
    made.gauge("queue_bytes", "In the queue.").set(-2.5)
    took = made.histogram("took_seconds", "How long.", labels=("route",))
    for place in range(200):
        took.labels("/a").observe(place / 7)
    took.labels("/a").observe(0.3, exemplar={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    made.histogram("body_bytes", "How much.", highest=1e6).observe(500)
    made.histogram("hit_ratio").observe(0.5)
    return made


def test_both_encoders_tell_the_same(metrics: Any) -> None:
    """The text that the registry writes reads as that of its snapshot, in both formats."""
    assert read(parsed_prometheus(metrics.to_prometheus().decode())) == read(
        parsed_prometheus(to_prometheus(metrics.snapshot()))
    )
    assert read(parsed_openmetrics(metrics.to_openmetrics().decode())) == read(
        parsed_openmetrics(to_openmetrics(metrics.snapshot()))
    )


def test_panels_of_guards_ask_for_metrics_that_there_are() -> None:
    """Every name is one that instrumented guards publish."""
    told = pytest.importorskip("seawall.observe.metrics._told", reason="the registry is not there yet")
    names = {f"{each.prefix}_{one.field}" for each in told.TOLD.values() for one in (*each.counts, *each.levels)}
    asked = {query.selector.name for panel in guard_panels() for query in panel.queries}
    assert asked - names == {told.STATES[0]}


def test_panels_of_resources_ask_for_metrics_that_there_are() -> None:
    """Every name is one that the resource monitor tells."""
    monitor = pytest.importorskip("seawall.monitor.resources._metrics", reason="the monitor is not there yet")
    source = inspect.getsource(monitor)
    asked = {query.selector.name for panel in resource_panels() for query in panel.queries}
    assert {name for name in asked if name.removeprefix("seawall_") not in source} == set()
