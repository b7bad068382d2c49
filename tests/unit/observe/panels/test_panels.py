"""Panels: what they ask of recordings, and the same in PromQL."""

from __future__ import annotations

from typing import Any

import pytest

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Matching, Recording, Sample, Selector, Snapshot, Window
from seawall.observe.panels import Panel, Query, Threshold, promql, red_panels, use_panels
from seawall.observe.signals import Busy, Resource, Service, Share

FAILED = Selector("http_requests", code=Matching("5.."))


@pytest.fixture
def window() -> Window:
    """Ten seconds: /a gets 4 requests a second and fails none, /b gets 1 and fails it, and takes 2 s for it."""
    recording, took = Recording(), Histogram()
    for at in range(11):
        took.record_many([2.0] if at else [])
        requests = (
            Sample((("code", "200"), ("route", "/a")), 4.0 * at),
            Sample((("code", "500"), ("route", "/b")), 1.0 * at),
        )
        pools = (Sample((("pool", "x"),), 1.0), Sample((("pool", "y"),), 3.0))
        families = (
            Family("http_requests", "counter", requests),
            Family("http_duration", "histogram", (Sample((("route", "/b"),), Distribution.of(took)),), unit="seconds"),
            Family("pool_used", "gauge", pools),
        )
        recording.append(Snapshot(float(at), families))
    return recording.window(10)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (Query("http_requests", "rate"), {(): 5.0}),
        (Query("http_requests", "rate", by=("route",)), {("/a",): 4.0, ("/b",): 1.0}),
        (Query(FAILED, "increase"), {(): 10.0}),
        (Query(FAILED, "ratio", whole="http_requests"), {(): 0.2}),
        (Query(FAILED, "ratio", whole="http_requests", by=("route",)), {("/a",): 0.0, ("/b",): 1.0}),
        (Query("pool_used", "value"), {(): 4.0}),
        (Query("pool_used", "value", across="max"), {(): 3.0}),
        (Query("http_duration", "mean"), {(): 2.0}),
        (Query("http_duration", "rate"), {(): 1.0}),
        (Query("unknown", "rate"), {(): None}),
        (Query("unknown", "mean"), {(): None}),
    ],
)
def test_a_query_reads_a_window(window: Window, query: Query, answer: dict[Any, Any]) -> None:
    """Each function gives, group by group, what the recording holds."""
    assert query.read(window) == answer


def test_a_quantile_is_within_the_digits_of_the_histogram(window: Window) -> None:
    """p99 of 2 s is 2 s, within a thousandth."""
    assert Query("http_duration", "quantile", q=0.99).read(window)[()] == pytest.approx(2.0, rel=1e-3)


def test_points_are_answers_over_time(window: Window) -> None:
    """Each stretch of at least `every` seconds gives a point at its end, with all its snapshots counted."""
    query = Query("http_requests", "rate", by=("route",))
    assert query.points(window)[("/b",)] == [(float(at), 1.0) for at in range(1, 11)]
    assert query.points(window, every=4)[("/a",)] == [(4.0, 4.0), (8.0, 4.0)]


def test_a_restart_within_a_stretch_is_seen() -> None:
    """A counter that began anew in the midst of a stretch is not taken for a fall."""
    recording = Recording()
    for at, value in enumerate((100.0, 110.0, 5.0, 15.0)):
        recording.append(Snapshot(float(at), (Family("calls", "counter", (Sample((), value),)),)))
    assert Query("calls", "increase").points(recording.window(3), every=3)[()] == [(3.0, 25.0)]


def test_lines_have_names() -> None:
    """A legend puts in the values of labels; without one the values are the name."""
    assert Query("calls", "rate", by=("route", "code"), legend="{code} of {route}").named(("/a", "200")) == "200 of /a"
    assert Query("calls", "rate", by=("route", "code")).named(("/a", "200")) == "/a 200"
    assert Query("calls", "rate").named(()) == "calls"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (Query("http_requests", "rate"), "sum (rate(http_requests_total[5m]))"),
        (Query("http_requests_total", "increase"), "sum (increase(http_requests_total[5m]))"),
        (Query("cpu", "rate", unit="seconds"), "sum (rate(cpu_seconds_total[5m]))"),
        (Query("took", "rate", kind="histogram", unit="seconds"), "sum (rate(took_seconds_count[5m]))"),
        (
            Query(FAILED, "ratio", whole="http_requests", by=("route",)),
            '(sum by (route) (rate(http_requests_total{code=~"5.."}[5m])) or '
            "sum by (route) (rate(http_requests_total[5m])) * 0) / sum by (route) (rate(http_requests_total[5m]))",
        ),
        (Query("pool.used", "value", across="mean", by=("pool",)), "avg by (pool) (pool_used)"),
        (
            Query("took", "quantile", q=0.5, by=("route",), unit="seconds"),
            "histogram_quantile(0.5, sum by (le, route) (rate(took_seconds_bucket[5m])))",
        ),
        (Query("took", "mean"), "sum (rate(took_sum[5m])) / sum (rate(took_count[5m]))"),
        (
            Query(Selector("calls", a='x"\\\n', b=("2", "1."), c=Matching("4..", negate=True)), "rate"),
            r'sum (rate(calls_total{a="x\"\\\n", b=~"1\\.|2", c!~"4.."}[5m]))',
        ),
    ],
)
def test_a_query_reads_as_promql(query: Query, text: str) -> None:
    """Each function has its form in PromQL."""
    assert promql(query) == text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (Query("took", "quantile", q=0.9), "histogram_quantile(0.9, sum (rate(took_seconds[1m])))"),
        (Query("took", "rate"), "sum (histogram_count(rate(took_seconds[1m])))"),
        (
            Query("took", "mean"),
            "sum (histogram_sum(rate(took_seconds[1m]))) / sum (histogram_count(rate(took_seconds[1m])))",
        ),
    ],
)
def test_native_histograms_read_without_buckets(query: Query, text: str) -> None:
    """What is known of the metrics says kind and unit; native histograms are asked as such."""
    known = Snapshot(0.0, (Family("took", "histogram", unit="seconds"),))
    assert promql(query, over="1m", known=known, native=True) == text


def test_a_function_of_a_label_is_refused_in_promql() -> None:
    """Prometheus cannot run a Python function; the way out is named."""
    with pytest.raises(ConfigError) as told:
        promql(Query(Selector("calls", code=str.isdigit), "rate"))
    assert str(told.value) == (
        f"PromQL cannot know the function that selects label 'code', {str.isdigit!r}; "
        "seawall.observe.Matching('5..') is one that it can"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Query("a", "delta"),  # type: ignore[arg-type]
            "function must be one of rate, increase, ratio, value, mean, quantile, got 'delta'",
        ),
        (lambda: Query("a", "quantile"), "q must be 0 to 1 for a quantile and is for nothing else, got None"),
        (lambda: Query("a", "quantile", q=99), "q must be 0 to 1 for a quantile and is for nothing else, got 99"),
        (lambda: Query("a", "ratio"), "whole must be a selector for a ratio and is for nothing else, got None"),
        (lambda: Panel("", "lines", (Query("a", "rate"),)), "title must not be empty"),
        (lambda: Panel("x", "lines", ()), "queries of panel 'x' must be at least one"),
        (
            lambda: Panel("x", "lines", (Query("a", "rate"),), width=13),
            "width must be 1 to 12 twelfths of the page, got 13",
        ),
        (
            lambda: Panel(
                "x", "lines", (Query("a", "rate"),), "", (Threshold(1), Threshold(0, "critical", worse="below"))
            ),
            "thresholds of panel 'x' must all be worse above, or all below",
        ),
        (lambda: Matching("("), "pattern must be a regular expression, got '(': missing ), unterminated subpattern "),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Any, message: str) -> None:
    """A bad definition says what is wrong where it is made."""
    with pytest.raises(ConfigError) as told:
        make()
    assert str(told.value).startswith(message)


def test_thresholds_say_how_bad_a_value_is() -> None:
    """A value has the worst severity that it reaches; one that is not known has none."""
    limits = (Threshold(0.99, worse="below"), Threshold(0.9, "critical", worse="below"))
    panel = Panel("Availability", "number", (Query("a", "value"),), "ratio", limits)
    assert [panel.severity(value) for value in (1.0, 0.99, 0.5, None)] == [None, "warning", "critical", None]


def test_a_service_has_its_panels() -> None:
    """Each of the signals that a service has metrics for is a panel, and the same questions are asked everywhere."""
    shop = Service(
        name="shop", requests="http_requests", errors=FAILED, duration="http_duration", saturation="pool_used"
    )
    panels = red_panels(shop, by="route", slow=0.5)
    assert [(panel.row, panel.title, panel.unit) for panel in panels] == [
        ("shop", "Traffic", "per_second"),
        ("shop", "Errors", "ratio"),
        ("shop", "Duration", "seconds"),
        ("shop", "Saturation", "ratio"),
    ]
    assert panels[2].severity(1.0) == "critical"
    assert promql(panels[3].queries[0]) == "max (pool_used)"


def test_a_service_counted_by_its_histogram_has_panels() -> None:
    """Where each request is a value of a histogram, its count is the traffic."""
    shop = Service(name="shop", requests="took")
    (traffic,) = red_panels(shop, counted="histogram")
    assert promql(traffic.queries[0]) == "sum (rate(took_count[5m]))"


def test_resources_have_their_panels() -> None:
    """Utilisation is asked as it is defined: a gauge, two of them, or busy time."""
    panels = use_panels(
        Resource(name="disk", utilisation="disk_used", errors="disk_errors"),
        Resource(name="pool", utilisation=Share("taken", "size"), saturation="waiting"),
        Resource(name="cpu", utilisation=Busy("cpu")),
    )
    assert [(panel.row, panel.title, [promql(query) for query in panel.queries]) for panel in panels] == [
        ("disk", "Utilisation", ["max (disk_used)"]),
        ("disk", "Errors", ["sum (rate(disk_errors_total[5m]))"]),
        ("pool", "Utilisation", ["sum (taken)", "sum (size)"]),
        ("pool", "Saturation", ["max (waiting)"]),
        ("cpu", "Utilisation", ["sum (rate(cpu_total[5m]))"]),
    ]
