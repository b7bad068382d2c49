"""What a capacity search decides from what it has seen."""

from __future__ import annotations

import math

import pytest

from seawall.errors import ConfigError
from seawall.measure.load.capacity._search import Found, Observation, Search, Try

SEARCH = Search(50, 20_000)


def passed(*rates: float) -> list[Observation]:
    """Steps that passed."""
    return [Observation(rate, "passed") for rate in rates]


def test_it_starts_low_and_doubles() -> None:
    """Nothing seen: the first rate; each that passes is doubled, up to the highest rate allowed."""
    assert SEARCH.decide([]) == Try(50)
    assert SEARCH.decide(passed(50)) == Try(100)
    assert SEARCH.decide(passed(50, 100, 200)) == Try(400)
    assert Search(50, 300).decide(passed(50, 100, 200)) == Try(300)


def test_after_a_failure_it_looks_between() -> None:
    """The next rate lies between the last that passed and the one that failed."""
    decided = SEARCH.decide([*passed(50, 100, 200), Observation(400, "failed")])
    assert isinstance(decided, Try)
    assert 200 < decided.rate < 400


@pytest.mark.parametrize(("word", "ended"), [("held back", "generator"), ("unreached", "unreachable")])
def test_what_does_not_speak_of_the_target_is_tried_again(word: str, ended: str) -> None:
    """A moment of noise does not end the search; three in a row do, with an open upper end."""
    once = [*passed(50, 100), Observation(200, word, "why")]  # type: ignore[arg-type]
    assert SEARCH.decide(once) == Try(200)
    assert SEARCH.decide([*once, Observation(200, "passed")]) == Try(400)
    assert SEARCH.decide([*once, once[-1]]) == Try(200)
    found = SEARCH.decide([*once, once[-1], once[-1]])
    assert found == Found(100, 100, math.inf, ended)  # type: ignore[arg-type]


def test_a_rate_already_carried_is_not_the_generators_limit() -> None:
    """Below a rate that gave an answer, a busy machine is waited for: ten times in a row end the search."""
    seen = [*passed(50, 100), Observation(200, "failed")]
    seen += [Observation(140, "held back")] * 9
    assert SEARCH.decide(seen) == Try(140)
    found = SEARCH.decide([*seen, seen[-1]])
    assert isinstance(found, Found)
    assert (found.rate, found.high, found.ended) == (100, math.inf, "generator")


def test_a_target_that_is_not_there_is_not_tried_twice() -> None:
    """Nothing reached by the first step ends the search."""
    assert SEARCH.decide([Observation(50, "unreached")]) == Found(0, 0, math.inf, "unreachable")


def test_used_up_steps_give_what_is_known() -> None:
    """The interval is then wider than asked for, and says so by its end."""
    seen = [*passed(50, 100), Observation(200, "failed")]
    found = Search(50, 20_000, max_steps=3).decide(seen)
    assert isinstance(found, Found)
    assert found.ended == "steps used"
    assert 50 < found.low <= found.rate <= found.high


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"start": 100, "most": 100},
            "start must be below most, got start 100 and most 100 requests a second; "
            "start where the target surely passes",
        ),
        (
            {"start": 0},
            "start must be between 0.001 and 1,000,000 requests a second, got 0; start where the target surely passes",
        ),
        (
            {"most": 2_000_000},
            "most must be between 0.001 and 1,000,000 requests a second, got 2,000,000; 100,000 is the default",
        ),
        ({"precision": 0.001}, "precision must be between 0.005 and 1 as a share, got 0.001; 0.05 is the default"),
        ({"confidence": 1}, "confidence must be between 0.5 and 0.99 as a share, got 1; 0.9 is the default"),
        ({"growth": 1}, "growth must be between 1.1 and 100 times, got 1; 2 is the default"),
        ({"max_steps": 2}, "max_steps must be between 3 and 1,000 steps, got 2; 50 is the default"),
    ],
)
def test_options_that_can_never_work(options: dict, message: str) -> None:
    """Each is refused with the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        Search(**{"start": 50, "most": 20_000, **options})
    assert str(caught.value) == message
