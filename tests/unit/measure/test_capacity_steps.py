"""Whose fault a step was that did not pass, from results that are made up number by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seawall.measure import Histogram, HlogInterval, LoadResult, Threshold
from seawall.measure.load import Throughput, Verdict
from seawall.measure.load.capacity._step import backlog_growth, judge_step

THRESHOLDS = (Threshold.parse("p99<100ms"), Threshold.parse("errors<1%"))


def times(*seconds: float) -> Histogram:
    """A hundred of each."""
    histogram = Histogram()
    for one in seconds:
        histogram.record_many([one] * 100)
    return histogram


def result(
    response: Sequence[float], *, service: Sequence[float] = (0.01,), own: float = 0.0, **more: Any
) -> LoadResult:
    """A step of one second a response time, 100 requests each."""
    blocks = tuple(HlogInterval(float(i), 1.0, None, times(one)) for i, one in enumerate(response))
    n = 100 * len(response)
    made = LoadResult(
        response_time=times(*response),
        service_time=times(*service),
        schedule_error=times(own),
        throughput=Throughput(1.0, (float(n),), (n,), (n,), (more.pop("succeeded", n),), (0,)),
        outcomes=more.pop("outcomes", {"2xx": n}),
        planned=n + more.get("dropped", 0),
        sent=n,
        completed=n,
        late=more.pop("late", 0),
        dropped=more.pop("dropped", 0),
        first_error=more.pop("first_error", None),
        verdict=Verdict(True),
        duration=float(len(response)),
        interrupted=False,
    )
    made = replace(made, blocks=blocks, **more)
    return replace(made, thresholds=tuple(one.evaluate(made) for one in THRESHOLDS))


def test_kept_thresholds_and_steady_times_pass() -> None:
    """There is no reason to give."""
    assert judge_step(result([0.01] * 4), THRESHOLDS, None) == ("passed", "")


def test_a_missed_threshold_fails_with_what_was_measured() -> None:
    """Each one missed is named with its value."""
    outcome, reason = judge_step(result([0.2] * 4, service=[0.2], succeeded=380), THRESHOLDS, 0.01)
    assert (outcome, reason) == ("failed", "p99<100ms: 200.00 ms; errors<1%: 5.00%")


def test_a_growing_backlog_fails_however_generous_the_thresholds() -> None:
    """Response times that grow steadily show a rate that cannot be kept up."""
    step = result([0.01, 0.03, 0.05, 0.07])
    assert round(backlog_growth(step), 3) == 0.06
    assert judge_step(step, THRESHOLDS, None) == ("failed", "response times grew by 60 ms during the step")
    assert backlog_growth(result([0.07, 0.05, 0.03, 0.01])) == 0.0


def test_small_growth_is_noise() -> None:
    """Less than 5 ms, or than 1 % of the 48 s between, says nothing."""
    assert backlog_growth(result([0.010, 0.014])) == 0.0
    assert backlog_growth(result([0.010] * 32 + [0.250] * 32)) == 0.0
    assert backlog_growth(result([0.010] * 32 + [0.600] * 32)) > 0.5


def test_the_generators_own_delay_is_not_the_targets_failure() -> None:
    """What does not pass while requests left late by themselves says nothing about the target."""
    outcome, reason = judge_step(result([0.2] * 4, own=0.15), THRESHOLDS, 0.01)
    assert outcome == "held back"
    assert reason.startswith("its own delay was 150.0 ms at P99, against a response time of 200.0 ms; ")


def test_errors_are_the_targets_even_with_a_slow_generator() -> None:
    """Only running out of open files is not."""
    step = result([0.2] * 4, own=0.15, succeeded=200)
    assert judge_step(step, THRESHOLDS, 0.01)[0] == "failed"
    mine = result([0.2] * 4, own=0.15, succeeded=200, outcomes={"2xx": 200, "too many open files": 200})
    assert judge_step(mine, THRESHOLDS, 0.01)[0] == "held back"


def test_what_the_generators_delay_cannot_explain_is_the_targets() -> None:
    """It may have added its delay twice, when sending and when reading, and no more."""
    assert judge_step(result([0.4] * 4, own=0.1), THRESHOLDS, 0.01)[0] == "failed"
    assert judge_step(result([0.2] * 4, own=0.1), THRESHOLDS, 0.01)[0] == "held back"
    assert judge_step(result([0.01, 0.03, 0.05, 0.07], own=0.02), THRESHOLDS, 0.01)[0] == "failed"


def test_what_passes_passes_even_with_a_slow_generator() -> None:
    """Its delay only adds to the response times, so they would have been kept without it too."""
    assert judge_step(result([0.05] * 4, own=0.04), THRESHOLDS, 0.01) == ("passed", "")


def test_places_that_run_out_are_the_targets_fault_where_it_slows() -> None:
    """Requests that stay twice as long as usual, or longer than allowed, fill all places by themselves."""
    slowed = result([0.2] * 4, service=[0.05], late=300)
    assert judge_step(slowed, THRESHOLDS, 0.01)[0] == "failed"
    assert judge_step(result([0.2] * 4, service=[0.15], late=300), THRESHOLDS, None)[0] == "failed"
    as_usual = judge_step(result([0.2] * 4, service=[0.01], late=300), THRESHOLDS, 0.01)
    assert as_usual == ("held back", "max_concurrency was reached and 300 requests started late; raise it")


def test_requests_never_sent_do_not_pass() -> None:
    """A step that was not carried out in full cannot have kept the rate."""
    outcome, reason = judge_step(result([0.01] * 4, service=[0.05], dropped=8), THRESHOLDS, 0.01)
    assert (outcome, reason) == ("failed", "8 of 408 requests were never sent")


def test_nothing_reached() -> None:
    """The first error is the reason."""
    step = result([0.01] * 4, outcomes={"connection refused": 400}, first_error="refused")
    assert judge_step(step, THRESHOLDS, None) == ("unreached", "nothing could be reached: refused")
