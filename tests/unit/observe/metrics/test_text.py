"""Texts for Prometheus, read back."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from seawall.clock import ManualClock
from seawall.observe.metrics import Metrics


def test_both_texts_are_what_the_standards_ask_for():
    """Byte by byte: types, units, help, labels, exemplars, creation times and the end."""
    metrics = Metrics(labels={"job": "web"}, clock=ManualClock(9.5))
    metrics.counter("served_total", 'A "call".\nDone.', ("path",)).labels('"/a"\\\n').inc(2, {"trace_id": "4bf92f"})
    metrics.histogram("latency_seconds", bounds=(0.5, 1)).observe(0.75, {"trace_id": "00f067"})
    assert metrics.to_prometheus().decode() == (
        '# HELP served_total A "call".\\nDone.\n'
        "# TYPE served_total counter\n"
        'served_total{job="web",path="\\"/a\\"\\\\\\n"} 2\n'
        "# TYPE latency_seconds histogram\n"
        'latency_seconds_bucket{job="web",le="0.5"} 0\n'
        'latency_seconds_bucket{job="web",le="1.0"} 1\n'
        'latency_seconds_bucket{job="web",le="+Inf"} 1\n'
        'latency_seconds_count{job="web"} 1\n'
        'latency_seconds_sum{job="web"} 0.75\n'
    )
    assert metrics.to_openmetrics(created=True).decode() == (
        '# HELP served A \\"call\\".\\nDone.\n'
        "# TYPE served counter\n"
        'served_total{job="web",path="\\"/a\\"\\\\\\n"} 2.0 # {trace_id="4bf92f"} 2 9.5\n'
        'served_created{job="web",path="\\"/a\\"\\\\\\n"} 9.5\n'
        "# TYPE latency_seconds histogram\n"
        "# UNIT latency_seconds seconds\n"
        'latency_seconds_bucket{job="web",le="0.5"} 0\n'
        'latency_seconds_bucket{job="web",le="1.0"} 1 # {trace_id="00f067"} 0.75 9.5\n'
        'latency_seconds_bucket{job="web",le="+Inf"} 1\n'
        'latency_seconds_count{job="web"} 1\n'
        'latency_seconds_sum{job="web"} 0.75\n'
        'latency_seconds_created{job="web"} 9.5\n'
        "# EOF\n"
    )


@pytest.mark.parametrize("value", ['quo"te', "new\nline", "back\\slash\\n", "\U0001f600 é", "a,b={}", " ", ""])
def test_label_values_come_back_as_they_were(value):
    """Quotes, newlines, backslashes, emoji and separators survive both texts."""
    metrics = Metrics()
    metrics.counter("served", "", ("x", "y")).labels(value, "after").inc()
    for read, text in ((plain_families, metrics.to_prometheus()), (open_families, metrics.to_openmetrics())):
        (family,) = read(text.decode())
        assert family.samples[0].labels == {"x": value, "y": "after"}


def test_a_lone_surrogate_is_written_as_a_question_mark():
    """A file name that is no text must not make metrics fail."""
    metrics = Metrics()
    metrics.counter("opened", "", ("file",)).labels("a\udcff").inc()
    assert metrics.to_prometheus() == b'# TYPE opened_total counter\nopened_total{file="a?"} 1\n'


def test_exemplars_are_read_back_with_their_time():
    """An OpenMetrics parser finds the exemplar of a counter, and that of a histogram at its bucket."""
    metrics = Metrics(clock=ManualClock(3.0))
    metrics.counter("served").inc(5, {"trace_id": "a", "span_id": "b"})
    latency = metrics.histogram("latency_seconds", bounds=(0.1, 1, 10))
    latency.observe(0.01, {"trace_id": "early"})
    latency.observe(5, {"trace_id": "late"})
    found = {
        (sample.name, sample.labels.get("le")): (e.labels, e.value, float(e.timestamp))
        for family in open_families(metrics.to_openmetrics().decode())
        for sample in family.samples
        if (e := sample.exemplar)
    }
    assert found == {
        ("served_total", None): ({"trace_id": "a", "span_id": "b"}, 5.0, 3.0),
        ("latency_seconds_bucket", "10.0"): ({"trace_id": "late"}, 5.0, 3.0),
    }


@pytest.mark.parametrize("labels", [{"trace_id": "x" * 200}, {"0bad": "x"}, {"": "x"}, {"é": "x"}])
def test_an_exemplar_that_no_reader_would_take_is_left_out(labels):
    """The text stays valid whatever an exemplar's labels are."""
    metrics = Metrics()
    metrics.counter("served").inc(1, labels)
    assert b"served_total 1.0\n" in metrics.to_openmetrics()


def test_a_clipped_value_is_up_to_no_bound():
    """Of a value above `highest` only that is known: it is in +Inf, and in the count."""
    metrics = Metrics()
    metrics.histogram("size", highest=10, bounds=(1, 10)).observe(100)
    (family,) = plain_families(metrics.to_prometheus().decode())
    assert [(s.labels.get("le"), s.value) for s in family.samples][:3] == [("1.0", 0), ("10.0", 0), ("+Inf", 1)]


def test_large_totals_stay_exact():
    """Counts beyond the whole numbers of a float are written digit by digit."""
    metrics = Metrics()
    metrics.counter("served").inc(2**53 + 1)
    assert b"served_total 9007199254740993\n" in metrics.to_prometheus()
