"""Beside prometheus-client: our metrics in its registry, and its metrics in our snapshots."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed_prometheus
from tests.unit.observe.export.snapshots import shop, snapshots

from seawall.errors import ConfigError
from seawall.observe import Distribution, Snapshot
from seawall.observe.export import SeawallCollector, from_registry, to_openmetrics, to_prometheus


def told(parsed: Any) -> set[Any]:
    """All that was read, in no order."""
    return {
        (family.name, family.type, family.unit, sample.name, frozenset(sample.labels.items()), sample.value)
        for family in parsed
        for sample in family.samples
    }


def registry_of(snapshot: Snapshot, **options: Any) -> CollectorRegistry:
    """A registry that has our metrics."""
    registry = CollectorRegistry()
    registry.register(SeawallCollector(snapshot, **options))
    return registry


@settings(max_examples=30)
@given(snapshots())
def test_the_collector_tells_what_our_text_tells(snapshot: Snapshot) -> None:
    """prometheus-client's own text of any snapshot reads as ours does."""
    text = generate_latest(registry_of(snapshot)).decode()
    assert told(parsed_prometheus(text)) == told(parsed_prometheus(to_prometheus(snapshot)))


def test_one_endpoint_has_both() -> None:
    """A registry with metrics of its own tells ours beside them, with exemplars and units in OpenMetrics."""
    registry = registry_of(shop(), bounds=(0.1, 1.0))
    Counter("own", "Theirs.", registry=registry).inc(3)
    text = generate_openmetrics(registry).decode()
    ours = told(parsed_openmetrics(to_openmetrics(shop(), bounds=(0.1, 1.0))))
    assert ours < told(parsed_openmetrics(text))
    assert "own_total 3.0" in text
    assert 'http_request_seconds_bucket{le="1.0",route="/a"} 3.0 # {' in text


def test_a_collector_gives_the_metrics_of_now() -> None:
    """A function is asked at each scrape."""
    counts = iter((1, 2))
    registry = CollectorRegistry()
    registry.register(SeawallCollector(lambda: shop(times=next(counts))))
    found = [registry.get_sample_value("http_requests_total", {"code": "200", "route": "/a"}) for _ in range(2)]
    assert found == [90.0, 180.0]


def test_the_collector_needs_prometheus_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the error says what to install."""
    monkeypatch.setitem(sys.modules, "prometheus_client.metrics_core", None)
    with pytest.raises(ConfigError) as refused:
        SeawallCollector(shop())
    assert str(refused.value) == (
        "SeawallCollector needs the library prometheus-client: pip install 'seawall[prometheus]'"
    )


def test_a_registry_is_read() -> None:
    """Counters, gauges, states, infos and summaries become what they are to us."""
    registry = CollectorRegistry()
    Counter("calls", "Calls.", ["route"], registry=registry).labels("/a").inc(5, exemplar={"trace_id": "t"})
    Gauge("size", "Size.", unit="bytes", registry=registry).set(7)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("state", "State.", states=["up", "down"], registry=registry).state("down")
    Summary("work", "Work.", registry=registry).observe(4)
    snapshot = from_registry(registry, at=9.0)
    assert snapshot.at == 9.0
    assert {family.name: family.kind for family in snapshot.families} == {
        "build_info": "gauge",
        "calls": "counter",
        "size_bytes": "gauge",
        "state": "gauge",
        "work_count": "counter",
        "work_sum": "counter",
    }
    (calls,) = snapshot.select("calls")
    assert (calls.labels, calls.value, calls.exemplars[0].labels) == ((("route", "/a"),), 5.0, (("trace_id", "t"),))
    assert [sample.value for sample in snapshot.select("state")] == [0.0, 1.0]
    assert [snapshot.select(name)[0].value for name in ("size_bytes", "work_count", "work_sum")] == [7.0, 1.0, 4.0]
    size = snapshot.family("size_bytes")
    assert size is not None
    assert size.unit == "bytes"


BOUNDS = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=8, unique=True).map(sorted)


@settings(max_examples=60)
@given(BOUNDS, st.lists(st.floats(0, 2e6), max_size=30))
def test_counts_up_to_each_bound_are_exact(bounds: list[float], values: list[float]) -> None:
    """What a classic histogram knows is kept: the count up to each bound that is a thousandth from the next."""
    bounds = [bound for place, bound in enumerate(bounds) if not place or bound > bounds[place - 1] * 1.001]
    registry = CollectorRegistry()
    theirs = Histogram("h", "H.", buckets=bounds, registry=registry)
    for value in values:
        theirs.observe(value)
    held = from_registry(registry, at=0.0).select("h")[0].value
    assert isinstance(held, Distribution)
    for bound in bounds:
        assert held.count_below(bound) == sum(1 for value in values if value <= bound)
    assert (held.count, held.sum) == (len(values), pytest.approx(math.fsum(values)))


def test_a_histogram_keeps_its_buckets_from_scrape_to_scrape() -> None:
    """Two snapshots of a histogram can be told apart: what came since is a difference."""
    registry = CollectorRegistry()
    theirs = Histogram("h", "H.", ["route"], buckets=(0.1, 1, 10), registry=registry)
    theirs.labels("/a").observe(0.5)
    first = from_registry(registry, at=0.0).select("h")[0].value
    theirs.labels("/a").observe(50)
    second = from_registry(registry, at=1.0).select("h")[0].value
    assert isinstance(first, Distribution)
    assert isinstance(second, Distribution)
    came = second - first
    assert (came.count, came.sum, came.count_below(10)) == (1, 50.0, 0)
    assert came.quantile(0.5) == pytest.approx(10, rel=0.05)
    assert first.quantile(0.5) == pytest.approx(1, rel=0.02)


def test_histograms_of_negative_values_become_counters() -> None:
    """Ours hold none below zero: their count is kept, nothing fails."""
    registry = CollectorRegistry()
    Histogram("t", "T.", buckets=(-1, 0, 1), registry=registry).observe(-5)
    assert [family.name for family in from_registry(registry, at=0.0).families] == ["t_count"]
