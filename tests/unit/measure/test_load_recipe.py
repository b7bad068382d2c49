"""A result says what makes its arrivals again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Closed, Constant, Linear, LoadTest, Pattern, Replay, Sine, Spike, Stages, Step
from seawall.measure.load.pattern._arrivals import Arrivals, arrival_times
from seawall.measure.load.pattern._recipe import arrivals_of, pattern_facts, pattern_from

PATTERNS: list[Pattern] = [
    Constant(50),
    Linear(0, 100),
    Step(10, 90, steps=4),
    Spike(20, 200, at=0.2, width=0.1),
    Sine(0, 100, period=0.3),
    Stages([(0.1, 100), (0, 40)], start=7),
    Replay([0.0, 0.01, 0.5]),
    (Constant(10) + Sine(0, 60) * 2).then(Spike(5, 500), after=0.3).clip(8, 90),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=Pattern.describe)
def test_patterns_are_plain_data(pattern: Pattern) -> None:
    """Every pattern, and every composition, comes back from its JSON equal."""
    facts = json.loads(json.dumps(pattern_facts(pattern)))
    assert pattern_from(facts) == pattern


async def nothing() -> None:
    """Return at once."""


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
@pytest.mark.parametrize("pattern", [PATTERNS[1], PATTERNS[-1]], ids=["linear", "composed"])
async def test_a_result_can_be_replayed(tmp_path: Path, pattern: Pattern, arrivals: Arrivals) -> None:
    """The replay of a result, or of its file, has the arrivals that were planned, to the nanosecond."""
    test = LoadTest(nothing, pattern, duration=0.5, arrivals=arrivals, warmup=0.1)
    result = await test.run_async()
    file = tmp_path / "run.json"
    file.write_text(result.to_json())
    course = test.settings.course
    planned = np.concatenate(list(arrival_times(course.plan, arrivals, seed=result.seed)))
    planned = planned[planned >= 0.1] - 0.1
    assert len(planned) == result.planned
    for replay in (Replay(result), Replay(file)):
        assert replay.times == pytest.approx(np.round(planned - planned[0], 9), abs=2e-9)
        assert replay.over(0.5).arrivals == result.planned


def test_what_cannot_be_replayed_says_so(tmp_path: Path) -> None:
    """The closed model has no plan of its own."""
    result = LoadTest(nothing, Closed(2), duration=0.01).run()
    assert result.plan is None
    file = tmp_path / "run.json"
    file.write_text(result.to_json())
    with pytest.raises(ConfigError) as caught:
        Replay(file)
    assert str(caught.value) == (
        f"replay needs the time of each request, but {file} is the result of a load test without a plan that could "
        "be made again (a closed model, or a long recording); replay a file with one timestamp a line"
    )


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"kind": "Exec"},
            "pattern must be one of Constant, Linear, Step, Spike, Sine, Stages, Replay, Sum, Multiple, ",
        ),
        ({"kind": "Constant", "rate": 1, "os": 2}, "pattern Constant has rate, got 'os'"),
        ({"kind": "Constant", "rate": -1}, "rate must be between 0 and 1,000,000 requests a second, got -1; "),
    ],
)
def test_strange_plans_are_refused(facts: dict[str, object], message: str) -> None:
    """What a file says is checked like what a person types."""
    with pytest.raises(ConfigError) as caught:
        arrivals_of({"pattern": facts, "duration": 1, "warmup": 0, "arrivals": "uniform", "seed": None})
    assert str(caught.value).startswith(message)
