"""Prometheus text and OpenMetrics, read back by prometheus-client's parsers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed_prometheus
from tests.unit.observe.export.snapshots import NASTY, distribution, labels, shop, snapshots

from seawall.errors import ConfigError
from seawall.observe import Distribution, Exemplar, Family, Sample, Snapshot
from seawall.observe.export import to_openmetrics, to_prometheus

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


def read(parsed: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each series and its value."""
    found = {}
    for family in parsed:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def meant(snapshot: Snapshot) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scraper must read, told by the obvious loop."""
    bounds = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in snapshot.families:
        for each, value, _ in family.samples:
            key = frozenset(each)
            if not isinstance(value, Distribution):
                found[family.name + ("_total" if family.kind == "counter" else ""), key] = value
                continue
            for bound in bounds:
                found[f"{family.name}_bucket", key | {("le", str(bound))}] = value.count_below(bound)
            found[f"{family.name}_bucket", key | {("le", "+Inf")}] = value.count
            found[f"{family.name}_sum", key] = value.sum
            found[f"{family.name}_count", key] = value.count
    return found


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_any_snapshot_is_read_back(snapshot: Snapshot) -> None:
    """Quotes, newlines, backslashes and emoji, and every number, come back as they were, in both formats."""
    assert read(parsed_prometheus(to_prometheus(snapshot))) == meant(snapshot)
    assert read(parsed_openmetrics(to_openmetrics(snapshot))) == meant(snapshot)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_any_help_is_read_back(snapshot: Snapshot) -> None:
    """So do the words for people, but for spaces around them, which the parser takes off."""
    told = {family.name: family.documentation.strip() for family in parsed_openmetrics(to_openmetrics(snapshot))}
    assert told == {family.name: family.help.strip() for family in snapshot.families}


def test_the_text_is_as_written_down() -> None:
    """Both texts of a service are those of tests/golden."""
    assert to_prometheus(shop(), bounds=(0.01, 1)) == (GOLDEN / "metrics.prom").read_text()
    assert to_openmetrics(shop(), bounds=(0.01, 1)) == (GOLDEN / "metrics.openmetrics").read_text()


def test_units_and_exemplars_are_openmetrics() -> None:
    """Units end the names and are said; exemplars stand beside the bucket that they fall in."""
    families = {family.name: family for family in parsed_openmetrics(to_openmetrics(shop()))}
    assert families["http_request_seconds"].unit == "seconds"
    assert families["pool_used_ratio"].unit == "ratio"
    beside = {s.labels["le"]: s.exemplar for s in families["http_request_seconds"].samples if s.exemplar}
    assert list(beside) == ["0.5"]
    assert beside["0.5"].value == 0.3
    assert beside["0.5"].labels["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    (counted,) = (s for s in families["http_requests"].samples if s.exemplar)
    assert counted.exemplar.timestamp.sec == 1_699_999_999


def test_a_bucket_has_its_latest_exemplar_and_no_long_one() -> None:
    """Of several the latest is told; labels of more than 128 characters are not."""
    old, new = Exemplar(labels(id="old"), 0.2, 1.0), Exemplar(labels(id="new"), 0.2, 2.0)
    long = Exemplar(labels(id="x" * 127), 0.2, 3.0)
    sample = Sample((), distribution([0.2]), (new, old, long))
    text = to_openmetrics(Snapshot(0.0, (Family("took", "histogram", (sample,)),)))
    assert [line for line in text.splitlines() if " # " in line] == [
        'took_bucket{le="0.25"} 1 # {id="new"} 0.2 2.000',
    ]


def test_bounds_are_the_same_for_all_or_by_name() -> None:
    """Bounds asked for by name are for that family; bytes and ratios have usual ones, up to `highest`."""
    families = (
        Family("a", "histogram", (Sample((), distribution([0.1])),)),
        Family("b_bytes", "histogram", (Sample((), distribution([300.0], highest=1e9)),), unit="bytes"),
        Family("c_ratio", "histogram", (Sample((), distribution([0.5])),), unit="ratio"),
    )
    text = to_prometheus(Snapshot(0.0, families), bounds={"a": (0.2, 7)})
    found = [line.split("le=")[1].split('"')[1] for line in text.splitlines() if "le=" in line]
    assert found[:3] == ["0.2", "7.0", "+Inf"]
    assert found[3:6] == ["256.0", "1024.0", "4096.0"]
    assert found[13:17] == ["268435456.0", "+Inf", "0.01", "0.05"]


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (2.0, 1.0), (1.0, math.inf)])
def test_bad_bounds_are_refused(bounds: tuple[float, ...]) -> None:
    """Bounds must make sense as buckets."""
    with pytest.raises(ConfigError) as told:
        to_prometheus(shop(), bounds=bounds)
    assert str(told.value) == (f"bounds must be positive, finite and rising, got {bounds}; +Inf is added by itself")


def test_names_of_others_become_valid() -> None:
    """Dots and dashes, as OpenTelemetry has them, become underscores; a digit does not begin a name."""
    family = Family("http.server-time", "gauge", (Sample(labels(**{"http.method": "GET", "1st": "x"}), 1.0),), "", "s")
    assert to_prometheus(Snapshot(0.0, (family,))).splitlines() == [
        "# TYPE http_server_time_s gauge",
        'http_server_time_s{_1st="x",http_method="GET"} 1',
    ]


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (
            (Family("a.b", "gauge"), Family("a_b", "gauge")),
            "metrics 'a.b' and 'a_b' are both a_b here; rename one",
        ),
        (
            (Family("calls", "counter"), Family("calls_total", "gauge")),
            "metrics 'calls' and 'calls_total' are both calls_total here; rename one",
        ),
        (
            (Family("took", "histogram"), Family("took_count", "gauge")),
            "metrics 'took' and 'took_count' are both took_count here; rename one",
        ),
        (
            (Family("took", "histogram", (Sample(labels(le="1"), distribution([1.0])),)),),
            "labels ['le'] of 'took' clash here; rename one",
        ),
        (
            (Family("a", "gauge", (Sample(labels(**{"x.y": "1", "x_y": "2"}), 1.0),)),),
            "labels ['x.y', 'x_y'] of 'a' clash here; rename one",
        ),
    ],
)
def test_clashes_are_refused(families: tuple[Family, ...], message: str) -> None:
    """Two names that would be one are an error that says which, not a text that scrapers refuse."""
    with pytest.raises(ValueError, match=r"rename one$") as told:
        to_prometheus(Snapshot(0.0, families))
    assert str(told.value) == message


def test_awkward_labels_are_escaped() -> None:
    """A route with quotes, newline, backslash and emoji is a line of its own."""
    assert (
        'http_requests_total{code="500",route="a\\"b\\\\c\\nd é 🚢 =,{}|#:"} 10' in to_prometheus(shop()).splitlines()
    )
    assert NASTY.count("\n") == 1
