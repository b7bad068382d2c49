"""The forms in which latencies leave an analyzer."""

import dataclasses
import json
import math
import re

import pytest

from seawall.measure import Histogram, LatencyAnalyzer


def of(*values, **options):
    """An analyzer that recorded the values."""
    analyzer = LatencyAnalyzer("checkout", **options)
    analyzer.record_many(values)
    return analyzer


def test_a_report_reads_as_a_table():
    """str() of a report is a line of counts and a line a figure, in units that fit."""
    analyzer = of(2e-7, 0.5e-3, 0.25, 30.0, highest=10.0)
    analyzer.record_error()
    assert str(analyzer.report()).splitlines() == [
        "checkout: 4 recorded, 1 errors, 1 clipped",
        "  min          200 ns",
        f"  mean   {analyzer.mean:>10.3f} s",
        f"  stddev {analyzer.stddev:>10.3f} s",
        "  P50      500.223 us",
        f"  P75    {analyzer.p75 * 1e3:>9.3f} ms",
        "  P90        10.000 s",
        "  P95        10.000 s",
        "  P99        10.000 s",
        "  P99.9      10.000 s",
        "  max        10.000 s",
    ]
    assert "  P50               -" in str(LatencyAnalyzer().report())


def test_a_report_does_not_change():
    """A report keeps its figures while recording goes on, and refuses assignment."""
    analyzer = of(0.5)
    report = analyzer.report()
    analyzer.record(1.0)
    assert (report.count, report.max, report.p999) == (1, 0.5, 0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.count = 2


def test_json_and_csv_hold_the_report():
    """JSON and CSV have every figure of the report."""
    analyzer = of(0.1, 0.5)
    facts = dataclasses.asdict(analyzer.report())
    assert json.loads(analyzer.to_json()) == facts
    names, figures = analyzer.to_csv().splitlines()
    assert names.split(",") == list(facts)
    assert figures.split(",") == [str(fact) for fact in facts.values()]


def test_an_empty_analyzer_exports_sound_forms():
    """Without records JSON has null, CSV an empty field, and OTLP no extremes."""
    analyzer = LatencyAnalyzer()
    assert json.loads(analyzer.to_json())["p50"] is None
    assert analyzer.to_csv().endswith("latency,0,0,0,,,,,,,,,,\n")
    otlp = analyzer.to_otlp()
    assert (otlp["count"], otlp["zero_count"], otlp["positive"]) == (0, 0, {"offset": 0, "bucket_counts": []})
    assert "min" not in otlp


def test_hlog_and_hgrm_are_the_histograms():
    """Both HdrHistogram forms are those of a histogram of the same values."""
    analyzer, histogram = of(0.1, 0.5), Histogram()
    histogram.record_many([0.1, 0.5])
    assert Histogram.from_hlog(analyzer.to_hlog(tag="a")) == histogram
    assert analyzer.to_hgrm() == histogram.to_hgrm()


def test_prometheus_buckets_are_cumulative():
    """Every bound counts what does not exceed it, +Inf counts all, and labels are escaped."""
    text = of(0.1, 0.25, 0.5, 4.0).to_prometheus([0.25, 1], metric="api_seconds", labels={"path": 'a"b\\c\nd'})
    held = r'path="a\"b\\c\nd"'
    assert text.splitlines() == [
        "# HELP api_seconds Latency in seconds.",
        "# TYPE api_seconds histogram",
        f'api_seconds_bucket{{{held},le="0.25"}} 2',
        f'api_seconds_bucket{{{held},le="1.0"}} 3',
        f'api_seconds_bucket{{{held},le="+Inf"}} 4',
        f"api_seconds_sum{{{held}}} 4.85",
        f"api_seconds_count{{{held}}} 4",
    ]
    assert 'seawall_latency_seconds_count{name="checkout"} 1\n' in of(1.0).to_prometheus()
    assert "\nseawall_latency_seconds_count 1\n" in of(1.0).to_prometheus(labels={})


def test_a_clipped_value_is_up_to_no_bound():
    """Of a value above `highest` no bound claims to hold it, +Inf does; apdex does not call it tolerable."""
    analyzer = of(1.0, 10.0, 70.0, highest=10.0)
    lines = analyzer.to_prometheus([5, 10, 60], labels={}).splitlines()
    assert [line.rpartition(" ")[2] for line in lines if "_bucket" in line] == ["1", "2", "2", "3"]
    assert analyzer.apdex(50) == 2 / 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": [1, 1]}, "bounds must be positive, finite and rising, got [1.0, 1.0]; +Inf is added by itself"),
        ({"bounds": [math.inf]}, "bounds must be positive, finite and rising, got [inf]; +Inf is added by itself"),
        ({"metric": "a-b"}, "metric must be letters, digits, _ and :, and start with no digit, got 'a-b'"),
        (
            {"labels": {"le": "x"}},
            "a label must be letters, digits and _, start with no digit, and not be 'le', got 'le'",
        ),
    ],
)
def test_what_prometheus_would_refuse_is_refused(options, message):
    """Bounds that do not rise and names Prometheus does not take are errors."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        of(1.0).to_prometheus(**options)


@pytest.mark.parametrize("max_buckets", [1, True, 2.5])
def test_otlp_needs_two_buckets(max_buckets):
    """One bucket cannot hold values on both sides of 1."""
    message = f"max_buckets must be a whole number from 2, got {max_buckets!r}; 160 is usual"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        of(1.0).to_otlp(max_buckets=max_buckets)


def test_otlp_is_as_fine_as_the_room_allows():
    """One value gets the finest scale that three digits bear out, many decades a coarser one that fits."""
    assert of(0.5).to_otlp()["scale"] == 9
    wide = of(0.0, 1e-5, 1000.0).to_otlp(max_buckets=20)
    assert (wide["scale"], wide["zero_count"], sum(wide["positive"]["bucket_counts"])) == (-1, 1, 2)
    assert len(wide["positive"]["bucket_counts"]) <= 20
    assert wide["zero_threshold"] == 512e-9


def test_prometheus_itself_reads_the_text():
    """The parser of the Prometheus client finds every bucket, the count and the sum, and labels with odd letters."""
    from prometheus_client.parser import text_string_to_metric_families

    analyzer = of(0.003, 0.02, 0.02, 7.0, 42.0)
    labels = {"path": 'a"b\\c\nd', "shop": "é"}
    (family,) = text_string_to_metric_families(analyzer.to_prometheus(metric="latency_seconds", labels=labels))
    assert (family.name, family.type) == ("latency_seconds", "histogram")
    found = {(one.name, one.labels.get("le")): one.value for one in family.samples}
    assert all({key: one.labels[key] for key in labels} == labels for one in family.samples)
    assert found["latency_seconds_bucket", "0.005"] == 1
    assert found["latency_seconds_bucket", "0.025"] == 3
    assert found["latency_seconds_bucket", "10.0"] == 4
    assert found["latency_seconds_bucket", "+Inf"] == found["latency_seconds_count", None] == 5
    assert found["latency_seconds_sum", None] == pytest.approx(49.043, rel=1e-3)


def test_opentelemetry_itself_takes_the_point():
    """The exponential form fits the protocol's own message, and its buckets hold the values."""
    from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint

    values = [0.001, 0.01, 0.01, 3.0]
    facts = of(*values).to_otlp()
    point = ExponentialHistogramDataPoint()
    for name, value in facts.items():
        if name == "positive":
            point.positive.offset = value["offset"]
            point.positive.bucket_counts.extend(value["bucket_counts"])
        else:
            setattr(point, name, value)
    again = ExponentialHistogramDataPoint.FromString(point.SerializeToString())
    assert (again.count, again.zero_count, again.max) == (4, 0, 3.0)
    base = 2.0 ** (2.0**-again.scale)
    for value in values:
        inside = [
            count
            for i, count in enumerate(again.positive.bucket_counts)
            if base ** (again.positive.offset + i) < value * 1.0005
            and value * 0.9995 <= base ** (again.positive.offset + i + 1)
        ]
        assert sum(inside) >= values.count(value)
