"""The five patterns, their text forms and their sparkline."""

from __future__ import annotations

import itertools
from datetime import timedelta

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure.load import (
    Constant,
    Linear,
    Pattern,
    Sine,
    Spike,
    Step,
    arrival_times,
    parse,
    parse_duration,
    sparkline,
)


@pytest.mark.parametrize(
    ("pattern", "total", "levels"),
    [
        (Constant(20), 200, [20, 20, 20, 20, 20]),
        (Linear(0, 100), 500, [10, 30, 50, 70, 90]),
        (Linear(100, 0), 500, [90, 70, 50, 30, 10]),
        (Step(10, 50), 300, [10, 20, 30, 40, 50]),
        (Spike(10, 100), 190, [10, 10, 55, 10, 10]),
        (Spike(10, 100, at=0, width=2), 280, [100, 10, 10, 10, 10]),
        (Sine(10, 50), 300, None),
        (Constant(0), 0, [0, 0, 0, 0, 0]),
    ],
    ids=repr,
)
def test_rates_and_totals(pattern: Pattern, total: float, levels: list[float] | None) -> None:
    """Each pattern asks for the requests its description says, over ten seconds."""
    plan = pattern.over(10)
    assert plan.total == pytest.approx(total)
    if levels is not None:
        assert plan.levels(5) == pytest.approx(levels)


def test_rate_at_a_moment() -> None:
    """The rate is the level of the piece it falls into, the new one at a jump, and 0 outside of the run."""
    plan = Spike(10, 100).over(10)
    assert [plan.rate(t) for t in (-1, 0, 4.4, 4.5, 5.4, 5.5, 10, 10.1)] == [0, 10, 10, 100, 100, 10, 10, 0]
    wave = Sine(10, 50).over(10)
    assert [wave.rate(t) for t in (-1, 0, 2.5, 5, 10, 11)] == pytest.approx([0, 10, 50, 10, 10, 0])


def test_arrivals_sit_in_the_middle_of_their_share() -> None:
    """Four a second are due at an eighth of a second and then every quarter."""
    (times,) = arrival_times(Constant(4).over(1))
    assert times.tolist() == [0.125, 0.375, 0.625, 0.875]


def test_silence_has_no_arrivals() -> None:
    """Rate 0 yields nothing, for both kinds of arrivals, and silent stretches are stepped over."""
    assert list(arrival_times(Constant(0).over(10))) == []
    assert list(arrival_times(Sine(0, 0).over(10), "poisson", seed=1)) == []
    (times,) = arrival_times(Spike(0, 4, at=5, width=1).over(10))
    assert times.tolist() == [5.125, 5.375, 5.625, 5.875]


def test_a_very_high_rate_over_a_day_does_not_drift_or_pile_up() -> None:
    """At 200,000 a second times come in small blocks, and after ten blocks the next is still exactly on the plan."""
    blocks = itertools.islice(arrival_times(Constant(200_000).over(86_400)), 11)
    *_, last = blocks
    assert len(last) == 4096
    assert last[0] == pytest.approx((10 * 4096 + 0.5) / 200_000, rel=1e-12)
    plan = Sine(100_000, 200_000, period=7).over(86_400)
    near_the_end = np.array([plan.arrivals - 0.5])
    assert plan.planned(float(plan.when(near_the_end)[0])) == pytest.approx(plan.arrivals - 0.5, abs=1e-3)


def test_duration_may_be_a_timedelta() -> None:
    """Half a minute is thirty seconds."""
    assert Constant(2).over(timedelta(minutes=0.5)).duration == 30


def test_patterns_are_values() -> None:
    """Equal settings are equal patterns, and a pattern cannot be changed."""
    assert Spike(1, 2) == Spike(1, 2)
    with pytest.raises(AttributeError):
        Constant(1).rate = 2  # type: ignore[misc]


def test_descriptions() -> None:
    """Each pattern describes itself in a few words."""
    every = [Constant(1000), Linear(1, 2.5), Step(1, 5), Spike(5, 50), Sine(0, 9)]
    assert [pattern.describe() for pattern in every] == [
        "constant 1,000/s",
        "linear 1 to 2.5/s",
        "step 1 to 5/s in 5 levels",
        "spike 5 to 50/s",
        "sine 0 to 9/s",
    ]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Constant(-5),
            "rate must be between 0 and 1,000,000 requests a second, got -5; use 0 for silence",
        ),
        (
            lambda: Constant(float("nan")),
            "rate must be between 0 and 1,000,000 requests a second, got nan; use 0 for silence",
        ),
        (
            lambda: Linear("fast", 5),  # type: ignore[arg-type]
            "start must be a number of requests a second, got 'fast'; use 0 for silence",
        ),
        (
            lambda: Step(1, 5, 1),
            "steps must be between 2 and 1,000 levels, got 1; "
            "use Constant for a single level and Linear for a smooth ramp",
        ),
        (
            lambda: Step(1, 5, 2.5),  # type: ignore[arg-type]
            "steps must be a whole number of levels, got 2.5; "
            "use Constant for a single level and Linear for a smooth ramp",
        ),
        (
            lambda: Spike(500, 50),
            "peak must be at least base, got a base of 500 and a peak of 50; swap the two",
        ),
        (
            lambda: Sine(500, 50),
            "high must be at least low, got a low of 500 and a high of 50; swap the two",
        ),
        (
            lambda: Sine(1, 5, period=0),
            "period must be between 0.001 and 604,800 seconds, got 0; leave it out for half of the run",
        ),
        (
            lambda: Spike(1, 5, at=9, width=2).over(10),
            "the spike must end within the run, got one from 9 to 11 seconds of 10; "
            "begin earlier, narrow it or run longer",
        ),
        (
            lambda: Constant(1).over(0),
            "duration must be between 0.001 and 604,800 seconds, got 0; for example 30 for half a minute",
        ),
        (
            lambda: next(arrival_times(Constant(1).over(1), "steady")),  # type: ignore[arg-type]
            "arrivals must be 'uniform' or 'poisson', got 'steady'; "
            "uniform spaces requests evenly, poisson by chance like independent users",
        ),
    ],
)
def test_bad_settings_say_what_would_work(build: object, message: str) -> None:
    """A setting that can never work is refused with the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        build()  # type: ignore[operator]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "rate", "pattern"),
    [
        ("constant", "100", Constant(100)),
        ("linear", "50:500", Linear(50, 500)),
        ("step", "50:500", Step(50, 500)),
        ("step:steps=8", "50:500", Step(50, 500, 8)),
        ("Spike", "50:500", Spike(50, 500)),
        ("spike:at=10s,width=500ms", "50:500", Spike(50, 500, at=10, width=0.5)),
        ("sine:period=0.5m", "0:1_000", Sine(0, 1000, period=30)),
    ],
)
def test_patterns_from_text(text: str, rate: str, pattern: Pattern) -> None:
    """The command line's words make the same patterns as the classes."""
    assert parse(text, rate, 60) == pattern


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        (
            "square",
            "1",
            "pattern must be one of constant, linear, step, spike, sine, stages, replay, got 'square'; "
            "for example spike",
        ),
        (
            "spike",
            "50",
            "rate of spike must be two rates with a colon between in requests a second, got '50'; for example 50:500",
        ),
        ("constant", "many", "rate of constant must be one rate in requests a second, got 'many'; for example 100"),
        (
            "sine:phase=3",
            "1:2",
            "option of sine must be one of: period; got 'phase=3'; for example sine:period=5s",
        ),
        ("constant:at=3", "1", "constant has no options, got 'at=3'; leave out everything after the colon"),
        (
            "step:steps=some",
            "1:2",
            "steps must be a whole number of levels, got 'some'; for example step:steps=5",
        ),
        (
            "spike:width=long",
            "1:2",
            "width must be a number with ms, s, m or h, got 'long'; for example 500ms, 30s, 2m or 1h",
        ),
        (
            "spike:at=59s",
            "1:2",
            "the spike must end within the run, got one from 59 to 65 seconds of 60; "
            "begin earlier, narrow it or run longer",
        ),
    ],
)
def test_unreadable_patterns_say_what_would_work(text: str, rate: str, message: str) -> None:
    """Words that are no pattern are refused with what would be one."""
    with pytest.raises(ConfigError) as caught:
        parse(text, rate, 60)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("30", 30), ("1.5 s", 1.5)]
)
def test_durations_from_text(text: str, seconds: float) -> None:
    """Durations are read in the units people type."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-3s", "1d", "3 weeks", "1e3s"])
def test_unreadable_durations(text: str) -> None:
    """What is no duration is refused with examples of one."""
    with pytest.raises(ConfigError) as caught:
        parse_duration(text)
    assert str(caught.value) == (
        f"duration must be a number with ms, s, m or h, got {text!r}; for example 500ms, 30s, 2m or 1h"
    )


def test_sparkline() -> None:
    """The lowest bar is nothing, the highest the largest value or the given top."""
    assert sparkline([0, 5, 10]) == "▁▅█"
    assert sparkline([0, 5, 10], top=20) == "▁▃▅"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
