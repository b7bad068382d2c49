"""A panel's query answers alike from our recording and from Prometheus, whose own engine is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.prometheus_server import MISSING

from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Matching, Recording, Sample, Selector, Snapshot
from seawall.observe.export import to_prometheus
from seawall.observe.panels import Query, promql

FAILED = Selector("http_requests", code=Matching("5.."))
QUERIES = [
    Query("http_requests", "rate"),
    Query("http_requests", "rate", by=("route",)),
    Query(FAILED, "increase", by=("code",)),
    Query(Selector("http_requests", route=("/a", "/c+")), "increase"),
    Query(Selector("http_requests", code=Matching("5..", negate=True)), "rate", by=("route", "code")),
    Query(FAILED, "ratio", whole="http_requests"),
    Query(FAILED, "ratio", whole="http_requests", by=("route",)),
    Query(Selector("http_requests", code="404"), "ratio", whole="http_requests", by=("route",)),
    Query("pool_used", "value"),
    Query("pool_used", "value", by=("pool",)),
    Query("pool_used", "value", across="min"),
    Query("pool_used", "value", across="max"),
    Query("pool_used", "value", across="mean"),
    Query("http_request_seconds", "rate", kind="histogram"),
    Query("http_request_seconds", "mean", by=("route",)),
]


def minutes() -> list[Snapshot]:
    """Ten minutes of a service in equal steps."""
    took, made = Histogram(), []
    for minute in range(11):
        took.record_many([0.25] * (120 if minute else 0))
        requests = tuple(
            Sample((("code", code), ("route", route)), float(rate * 60 * minute))
            for code, route, rate in (("200", "/a", 6), ("500", "/a", 2), ("200", "/b", 8), ("503", "/c+", 4))
        )
        pools = tuple(Sample((("pool", pool),), value) for pool, value in (("x", 1.0), ("y", 3.0), ("z", 8.0)))
        times = (Sample((("route", "/a"),), Distribution.of(took)),)
        families = (
            Family("http_requests", "counter", requests),
            Family("pool_used", "gauge", pools),
            Family("http_request_seconds", "histogram", times, unit="seconds"),
        )
        made.append(Snapshot(minute * 60.0, families))
    return made


def scraped(snapshots: list[Snapshot]) -> list[dict[str, str]]:
    """The series of the text of each snapshot, as promtool takes them."""
    values: dict[str, list[float]] = defaultdict(list)
    for snapshot in snapshots:
        for family in text_string_to_metric_families(to_prometheus(snapshot)):
            for sample in family.samples:
                held = ",".join(f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
                values[f"{sample.name}{{{held}}}"].append(sample.value)
    return [{"series": series, "values": " ".join(map(repr, found))} for series, found in values.items()]


def expected(query: Query, recording: Recording) -> list[dict[str, Any]]:
    """What our recording answers, as promtool is told it."""
    answers = query.read(recording.window(600)).items()
    named = [(dict(zip(query.by, group, strict=True)), value) for group, value in answers]
    assert named
    assert all(value is not None for _, value in named)
    return [
        {"labels": "{" + ",".join(f"{k}={json.dumps(v)}" for k, v in labels.items()) + "}", "value": value}
        for labels, value in named
    ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason=MISSING)
def test_prometheus_answers_as_our_recording_does(tmp_path: Path) -> None:
    """Of the same ten minutes both have the same rates, shares, means and values, group by group."""
    snapshots, recording = minutes(), Recording(((60.0, 3600.0),))
    for snapshot in snapshots:
        recording.append(snapshot)
    asked = [
        {"expr": promql(query, over="10m"), "eval_time": "10m", "exp_samples": expected(query, recording)}
        for query in QUERIES
    ]
    assert complaints(tmp_path, snapshots, asked) == ""
    wrong = [asked[0] | {"exp_samples": [{"labels": "{}", "value": 19.0}]}]
    assert "got:" in complaints(tmp_path, snapshots, wrong)


def complaints(folder: Path, snapshots: list[Snapshot], asked: list[dict[str, Any]]) -> str:
    """Where promtool, given the snapshots, finds other answers."""
    test = {"interval": "1m", "input_series": scraped(snapshots), "promql_expr_test": asked}
    file = folder / "test.json"  # JSON is YAML
    file.write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}, ensure_ascii=False))
    command = [shutil.which("promtool") or "", "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
