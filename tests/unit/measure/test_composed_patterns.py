"""Stages, and patterns made of patterns: what they ask for, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Constant, Linear, LoadTest, Pattern, Replay, Sine, Stages, Step, arrival_times, parse

FORM = "for example Stages([(30, 100), (60, 100), (10, 0)])"


@pytest.mark.parametrize(
    ("pattern", "levels"),
    [
        (Stages([(2, 100), (4, 100), (4, 0)]), [50, 100, 100, 75, 25]),
        (Stages([(0, 100), (2, 100), (0, 10), (4, 10)]), [100, 10, 10, 0, 0]),
        (Stages([(10, 50)], start=50), [50, 50, 50, 50, 50]),
        (Stages([(4, 0), (2, 80), (4, 0)]), [0, 0, 40, 60, 20]),
        (Constant(10) + Linear(0, 100), [20, 40, 60, 80, 100]),
        (Constant(10) + Step(10, 50) + Sine(0, 100, period=2), [70, 80, 90, 100, 110]),
        (Linear(0, 100) * 0.5, [5, 15, 25, 35, 45]),
        (3 * Constant(7), [21, 21, 21, 21, 21]),
        (Sine(0, 100) * 0, [0, 0, 0, 0, 0]),
        (Constant(10).then(Linear(0, 60), after=4), [10, 10, 10, 30, 50]),
        (Constant(10).then(Constant(0), after=2).then(Constant(30), after=6), [10, 0, 0, 30, 30]),
        (Linear(0, 100).clip(30, 70), [30, 32.5, 50, 67.5, 70]),
        (Constant(0).clip(5, 50), [5, 5, 5, 5, 5]),
        (Step(0, 100).clip(40, 60), [40, 40, 50, 60, 60]),
    ],
    ids=lambda value: value.describe() if isinstance(value, Pattern) else "",
)
def test_rates_of_composed_patterns(pattern: Pattern, levels: list[float]) -> None:
    """Each composed pattern asks for what its parts ask for, over ten seconds."""
    plan = pattern.over(10)
    assert plan.levels(5) == pytest.approx(levels)
    assert sum(len(times) for times in arrival_times(plan)) == plan.arrivals == round(sum(levels) * 2)


def test_a_clipped_sine_is_flat_at_its_limits() -> None:
    """Two thirds of a swing lie above a quarter of its height; the integral there is the limit's."""
    plan = Sine(0, 100, period=12).clip(0, 25).over(12)
    rising = 25 * 8 + 2 * (50 * 2 - 50 * 6 / np.pi * np.sin(np.pi / 3))
    assert plan.total == pytest.approx(rising, rel=1e-12)
    assert [plan.rate(t) for t in (-1, 0, 2.5, 6, 12, 13)] == pytest.approx([0, 0, 25, 25, 0, 0])


def test_silence_inside_is_stepped_over() -> None:
    """No arrival falls into a silent stretch, of a sum, a sequence or a clipped pattern."""
    plan = (Constant(4).then(Constant(0), after=1) + Constant(0).then(Constant(4), after=9)).clip(0, 100).over(10)
    (times,) = arrival_times(plan)
    assert times == pytest.approx([0.125, 0.375, 0.625, 0.875, 9.125, 9.375, 9.625, 9.875])


@pytest.mark.parametrize(
    "pattern",
    [
        Constant(100_000) + Constant(100_000),
        Sine(50_000, 350_000, period=7) + Constant(0),
        Constant(1000) * 200,
        Constant(200_000).then(Constant(1), after=80_000),
        Linear(300_000, 300_000).clip(1, 200_000),
        Stages([(0, 200_000), (86_400, 200_000)]),
    ],
    ids=Pattern.describe,
)
def test_200_000_a_second_over_a_day_comes_in_small_blocks(pattern: Pattern) -> None:
    """A day at a high rate begins at once, in blocks of a bounded size, and is exact near its end."""
    plan = pattern.over(86_400)
    first = next(arrival_times(plan, "poisson", seed=1))
    assert 0 < len(first) <= 4096
    near_the_end = np.array([plan.arrivals - 0.5])
    assert plan.sums(plan.when(near_the_end)) == pytest.approx(near_the_end, abs=1e-3)


def test_composed_patterns_are_values() -> None:
    """Equal parts make equal patterns, and a composed pattern cannot be changed."""
    assert Constant(1) + Sine(0, 2) == Constant(1) + Sine(0, 2)
    assert hash(Stages([(1, 2)]) * 3) == hash(Stages([[1, 2]]) * 3)  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        Stages([(1, 2)]).start = 3  # type: ignore[misc]


def test_descriptions_nest() -> None:
    """A composed pattern describes its parts, with brackets where they are needed."""
    every = [
        Stages([(30, 100), (10, 1500)]),
        Constant(1) + Sine(0, 9) + Constant(2),
        (Constant(1) + Constant(2)) * 1.5,
        Constant(1).then(Constant(2) * 3, after=10),
        Linear(0, 9).clip(2, 7),
    ]
    assert [pattern.describe() for pattern in every] == [
        "2 stages up to 1,500/s",
        "constant 1/s + sine 0 to 9/s + constant 2/s",
        "(constant 1/s + constant 2/s) times 1.5",
        "constant 1/s for 10 s, then (constant 2/s times 3)",
        "linear 0 to 9/s within 2 to 7/s",
    ]


def test_a_load_test_takes_a_composed_pattern() -> None:
    """What a load test plans is the composed pattern over its duration."""
    test = LoadTest("http://127.0.0.1/", Constant(5) + Constant(5).then(Constant(0), after=2), duration=4)
    assert test.plan.arrivals == 30


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Stages([]), f"the number of stages must be between 1 and 10,000 stages, got 0; {FORM}"),
        (lambda: Stages(7), f"stages must be pairs of seconds and a rate, got 7; {FORM}"),
        (lambda: Stages([(1, 2), 3]), f"stage 2 must be a pair of seconds and a rate, got 3; {FORM}"),
        (
            lambda: Stages([(-1, 2)]),
            "seconds of stage 1 must be between 0 and 604,800 seconds, got -1; use 0 to jump to the rate",
        ),
        (
            lambda: Stages([(1, 2), (1, -2)]),
            "rate of stage 2 must be between 0 and 1,000,000 requests a second, got -2; use 0 for silence",
        ),
        (lambda: Stages([(0, 2)]), f"all stages together must be between 0.001 and 604,800 seconds, got 0; {FORM}"),
        (
            lambda: Stages([(8, 5), (4, 5)]).over(10),
            "the stages must end within the run, got 12 seconds of stages in a run of 10; shorten them or run longer",
        ),
        (
            lambda: Constant(1) * -1,
            "factor must be between 0 and 1,000,000 times, got -1; use 1 for the pattern as it is",
        ),
        (
            lambda: Constant(1) * Constant(2),
            "factor must be a number of times, got Constant(rate=2); use 1 for the pattern as it is",
        ),
        (lambda: Constant(1) * "2", "factor must be a number of times, got '2'; use 1 for the pattern as it is"),
        (
            lambda: Constant(1).then(Constant(2), after=0),
            "after must be between 0.001 and 604,800 seconds, got 0; for example 30 for half a minute",
        ),
        (
            lambda: Constant(1).then(5, after=1),
            "what follows must be a Pattern, got 5; for example Constant(100)",
        ),
        (
            lambda: Constant(1).then(Constant(2), after=10).over(10),
            "after must be at least 0.001 seconds before the end of the run, got 10 of 10; begin earlier or run longer",
        ),
        (
            lambda: Constant(1).clip(5, 2),
            "most must be at least least, got a least of 5 and a most of 2; swap the two",
        ),
        (
            lambda: Constant(1).clip(-5, 2),
            "least must be between 0 and 1,000,000 requests a second, got -5; use 0 for silence",
        ),
        (
            lambda: Sine(0, 9, period=0.001).clip(1, 2).over(604_800),
            "a clipped sine may have at most 500,000 periods in its run, got one of 0.001 seconds in 604,800; "
            "lengthen the period or run shorter",
        ),
        (
            lambda: (Sine(0, 9, period=1) + Constant(1)).clip(1, 2).over(86_400),
            "a clipped sum may turn at most 31,250 times, got 172,801; "
            "clip its parts instead, lengthen their periods or run shorter",
        ),
    ],
)
def test_bad_compositions_say_what_would_work(build: Callable[[], object], message: str) -> None:
    """A composition that can never work is refused with the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        build()
    assert str(caught.value) == message


def test_a_number_is_no_pattern_to_add() -> None:
    """Adding a number is a type error, as for any operand."""
    with pytest.raises(TypeError, match="unsupported operand"):
        Constant(1) + 5


def test_stages_and_replays_from_text(tmp_path: Path) -> None:
    """The command line's words make the same stages and replays as the classes; a path keeps its case."""
    assert parse("Stages:30s=100,500ms=100,10=0", None, 60) == Stages([(30, 100), (0.5, 100), (10, 0)])
    file = tmp_path / "Times.txt"
    file.write_text("1\n3\n")
    assert parse(f"replay:{file}", None, 60) == Replay([1, 3])


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        ("stages:1s=5", "50", "stages brings its own rates, got a rate of '50'; leave out the rate"),
        ("stages", None, "stages needs at least one stage, got none; for example stages:30s=100,1m=100,10s=0"),
        ("replay:", None, "replay needs a file of timestamps, got none; for example replay:arrivals.txt"),
        (
            "stages:5s",
            None,
            "a stage must be a length of time and the rate at its end, got '5s'; "
            "for example stages:30s=100,1m=100,10s=0",
        ),
        (
            "stages:soon=5",
            None,
            "length of a stage must be a number with ms, s, m or h, got 'soon'; for example 500ms, 30s, 2m or 1h",
        ),
    ],
)
def test_unreadable_stages_say_what_would_work(text: str, rate: str | None, message: str) -> None:
    """Words that are no stages or replay are refused with what would be some."""
    with pytest.raises(ConfigError) as caught:
        parse(text, rate, 60)
    assert str(caught.value) == message
