"""Thresholds: what people type, what is measured, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seawall.errors import ConfigError
from seawall.measure import Constant, Histogram, LoadTest, Threshold
from seawall.measure.load import LoadResult, ThresholdOutcome, Throughput, Verdict
from seawall.measure.load._lost import SoFar, first_lost


def result(times: list[float], *, failed: int = 0, late: int = 0, dropped: int = 0) -> LoadResult:
    """A result of a run of two seconds in which requests took `times`."""
    histogram = Histogram()
    histogram.record_many(times)
    ended = len(times)
    return LoadResult(
        response_time=histogram,
        service_time=histogram,
        schedule_error=Histogram(),
        throughput=Throughput(2.0, (float(ended),), (ended,), (ended,), (ended - failed,), (0,)),
        outcomes={"2xx": ended - failed, "timeout": failed},
        planned=ended + dropped,
        sent=ended,
        completed=ended,
        late=late,
        dropped=dropped,
        first_error=None,
        verdict=Verdict(True),
        duration=2.0,
        interrupted=False,
    )


# 100 requests of 10, 20, ... 1000 ms.
RAMP = result([i / 100 for i in range(1, 101)], failed=7, late=3, dropped=25)


@pytest.mark.parametrize(
    ("text", "measured", "passed"),
    [
        ("p50<501ms", 0.5, True),
        ("p50<499ms", 0.5, False),
        ("p99.9 <= 1.1s", 1.0, True),
        ("P90 < 0.8 s", 0.9, False),
        ("mean<510000us", 0.505, True),
        ("max<=1s", 1.0, True),
        ("max<1s", 1.0, False),
        ("rate>49/s", 50.0, True),
        ("rate>=50/s", 50.0, True),
        ("rate>50/s", 50.0, False),
        ("errors<=7%", 0.07, True),
        ("errors<7%", 0.07, False),
        ("errors<=7", 7.0, True),
        ("errors<7", 7.0, False),
        ("late<=3%", 0.03, True),
        ("late<3", 3.0, False),
        ("dropped<=20%", 0.2, True),
        ("dropped<=0", 25.0, False),
    ],
)
def test_a_threshold_is_held_against_the_result(text: str, measured: float, passed: bool) -> None:
    """Each metric is measured in its base unit, and the limit itself belongs to <= and >= only."""
    outcome = Threshold.parse(text).evaluate(RAMP)
    assert (outcome.text, outcome.passed) == (text, passed)
    assert outcome.measured == pytest.approx(measured, rel=2e-3 if "p" in text.lower()[:1] else 1e-12)


@pytest.mark.parametrize("text", ["p99<1s", "mean<1s", "max<1s", "errors<1%", "errors<=0", "late<1%", "dropped<1%"])
def test_nothing_measured_never_passes(text: str) -> None:
    """A run without a single answer keeps no threshold, rather than all of them."""
    assert Threshold.parse(text).evaluate(result([])) == ThresholdOutcome(text, None, False)


def test_a_rate_needs_a_duration() -> None:
    """A run that took no time has no rate."""
    assert Threshold.parse("rate>1/s").evaluate(replace(RAMP, duration=0.0)).measured is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [("p50<1ms", "500.17 ms"), ("errors<1%", "7.00%"), ("errors<1", "7"), ("rate>1/s", "50.00/s")],
)
def test_what_was_measured_is_shown_in_the_units_of_the_threshold(text: str, shown: str) -> None:
    """Milliseconds are compared with milliseconds, percents with percents."""
    threshold = Threshold.parse(text)
    assert threshold.show(threshold.evaluate(RAMP).measured) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (99, "threshold must be a text, got 99; for example 'p99<250ms'"),
        ("p99 250ms", "threshold must compare once with <, <=, > or >=, got 'p99 250ms'; for example p99<250ms"),
        ("p99==1s", "threshold must compare once with <, <=, > or >=, got 'p99==1s'; for example p99<250ms"),
        ("1s<p99<2s", "threshold must compare once with <, <=, > or >=, got '1s<p99<2s'; for example p99<250ms"),
        (
            "median<1s",
            "threshold must be about a percentile such as p99.9, mean, max, rate, errors, late or dropped, "
            "got 'median' in 'median<1s'; for example p99<250ms",
        ),
        (
            "p101<1s",
            "percentile of a threshold must be above 0 and at most 100, got 101 in 'p101<1s'; for example p99.9",
        ),
        ("p0<1s", "percentile of a threshold must be above 0 and at most 100, got 0 in 'p0<1s'; for example p99.9"),
        ("p99<fast", "limit of p99 must be a number, got 'fast' in 'p99<fast'; for example 250ms"),
        ("rate>", "limit of rate must be a number, got '' in 'rate>'; for example 950/s"),
        ("p99<250", "unit of p99 must be us or ms or s, got '' in 'p99<250'; for example 250ms"),
        ("rate>950", "unit of rate must be /s, got '' in 'rate>950'; for example 950/s"),
        ("errors<1s", "unit of errors must be % or nothing for a count, got 's' in 'errors<1s'; for example 1%"),
        (
            "errors<101%",
            "limit of errors must be between 0 and 100%, got 101% in 'errors<101%'; for example 1%",
        ),
        ("p99<-1ms", "limit of p99 must be between 0 and 604,800,000ms, got -1ms in 'p99<-1ms'; for example 250ms"),
        ("dropped<0%", "threshold 'dropped<0%' can never be kept, nothing is below 0; use <= instead of <"),
    ],
)
def test_a_bad_threshold_says_what_is_wrong(text: str, message: str) -> None:
    """Each bad form has a message of its own with the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        Threshold.parse(text)
    assert str(caught.value) == message


def test_a_load_test_reads_its_thresholds_before_it_runs() -> None:
    """Texts and parsed thresholds may be mixed; a single text is a list of letters by mistake."""
    given = ["p99<250ms", Threshold.parse("errors<1%")]
    test = LoadTest("http://127.0.0.1:1/", Constant(1), duration=1, thresholds=given)
    assert [threshold.text for threshold in test.settings.thresholds] == ["p99<250ms", "errors<1%"]
    with pytest.raises(ConfigError) as caught:
        LoadTest("http://127.0.0.1:1/", Constant(1), duration=1, thresholds="p99<1s")
    assert str(caught.value) == "thresholds must be a list of texts, got 'p99<1s'; use ['p99<1s']"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("errors<=4", True),
        ("errors<5", True),
        ("errors<=5", False),
        ("errors<5%", True),
        ("errors<=5%", False),
        ("late<=2", True),
        ("late<=3%", False),
        ("max<=1.9s", True),
        ("max<=2s", False),
        ("errors>1", False),
        ("p99<1ms", False),
        ("rate>1000/s", False),
        ("dropped<=0", False),
    ],
)
def test_only_what_cannot_recover_is_lost_early(text: str, lost: bool) -> None:
    """Shares are held against all requests that the run can still have; percentiles and rates may recover."""
    so_far = SoFar(errors=5, late=3, slowest=2.0)
    assert first_lost([Threshold.parse(text)], so_far, 100) == (text if lost else None)


def test_no_share_is_certain_where_chance_decides_the_number() -> None:
    """Poisson arrivals have no largest number, but counts grow all the same."""
    so_far = SoFar(errors=5, late=0, slowest=0.0)
    assert first_lost([Threshold.parse("errors<1%")], so_far, None) is None
    assert first_lost([Threshold.parse("errors<1%"), Threshold.parse("errors<1")], so_far, None) == "errors<1"


def test_json_has_the_outcomes() -> None:
    """A saved result says what became of each threshold."""
    outcomes = tuple(Threshold.parse(text).evaluate(RAMP) for text in ("errors<=7", "errors<1%"))
    told = replace(RAMP, thresholds=outcomes)
    assert not told.passed
    assert RAMP.passed
    assert json.loads(told.to_json())["thresholds"] == [
        {"text": "errors<=7", "measured": 7.0, "passed": True},
        {"text": "errors<1%", "measured": 0.07, "passed": False},
    ]
