"""Laws of the capacity search, on plants that are simulated."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seawall.measure.load.capacity._search import Found, Observation, Search, Try

pytestmark = pytest.mark.proof

Plant = Callable[[float], bool]


def searched(search: Search, plant: Plant) -> tuple[Found, list[Observation]]:
    """Run a search against a plant that says whether a rate passes."""
    seen: list[Observation] = []
    while isinstance(decided := search.decide(seen), Try):
        seen.append(Observation(decided.rate, "passed" if plant(decided.rate) else "failed"))
    return decided, seen


def noisy(limit: float, scale: float, lapses: float, chance: random.Random) -> Plant:
    """Passes with the logistic function of log(limit / rate) / scale, and wrongly so often."""

    def passes(rate: float) -> bool:
        at = math.log(limit / rate) / scale
        share = 0.5 * (1.0 + math.tanh(at / 2.0))
        return chance.uniform(0.0, 1.0) < lapses + (1.0 - 2.0 * lapses) * share

    return passes


def after_growth(search: Search, limit: float, seen: list[Observation]) -> int:
    """Steps beyond those that doubling needs to get past the limit."""
    return len(seen) - 1 - max(math.ceil(math.log(limit / search.start, search.growth)), 0)


@settings(max_examples=150)
@given(st.floats(0.0, 1.0), st.sampled_from([2.0, 3.0, 10.0]), st.sampled_from([0.02, 0.05, 0.2]))
@example(0.0, 2.0, 0.05)
@example(1.0, 2.0, 0.05)
def test_a_sharp_limit_is_found_within_its_interval_in_few_steps(place: float, growth: float, precision: float) -> None:
    """Between 1 and 100,000 requests a second: the growth, and then at most 12 steps, or 14."""
    limit = math.exp(place * math.log(100_000.0))
    search = Search(1.0, 100_000.0, precision=precision, growth=growth)
    found, seen = searched(search, lambda rate: rate <= limit)
    # Growing tenfold leaves three times as much to narrow down as doubling.
    assert after_growth(search, limit, seen) <= (12 if growth <= 3.0 else 14)
    if found.ended == "found":
        assert found.low <= limit <= found.high <= found.low * (1 + precision)
        assert found.low <= found.rate <= found.high
    else:
        # So near to an end of the range that it cannot be told from beyond it.
        assert found.ended in ("all passed", "none passed")
        assert limit < 1 + precision or limit > 100_000 / (1 + precision)


outcomes = st.lists(st.sampled_from(["passed", "failed", "held back", "unreached"]), max_size=40)


@settings(max_examples=150)
@given(outcomes, st.integers(3, 30), st.floats(1.0, 50.0), st.floats(60.0, 100_000.0))
def test_whatever_happens_tries_stay_within_their_bounds(
    words: list, most_steps: int, start: float, most: float
) -> None:
    """Never more than max_steps, never outside of the range, never more than doubled, and an answer in order."""
    search = Search(start, most, max_steps=most_steps)
    seen: list[Observation] = []
    for word in words:
        decided = search.decide(seen)
        if isinstance(decided, Found):
            break
        highest = max((one.rate for one in seen if one.outcome == "passed"), default=start / 2)
        assert start <= decided.rate <= min(most, max(highest * 2, start))
        seen.append(Observation(decided.rate, word))
    assert len(seen) <= most_steps
    found = search.conclude(seen, "interrupted")
    assert 0 <= found.low <= found.rate <= found.high


@settings(max_examples=50)
@given(st.integers(0, 11))
def test_one_wrong_outcome_is_outvoted(wrong: int) -> None:
    """Whichever step comes out wrong once, the limit stays within the interval."""
    search, calls = Search(50.0, 2000.0), 0

    def plant(rate: float) -> bool:
        nonlocal calls
        calls += 1
        return (rate <= 700.0) != (calls == wrong + 1)

    found, _ = searched(search, plant)
    assert found.ended == "found"
    assert found.low <= 700.0 <= found.high


@pytest.mark.parametrize("scale", [0.0005, 0.005, 0.01])
@pytest.mark.parametrize("lapses", [0.0, 0.02])
def test_the_interval_holds_the_limit_as_often_as_it_says(scale: float, lapses: float) -> None:
    """At least 90 % of 200 seeded searches at 90 % confidence hold it, wrong outcomes included."""
    chance = random.Random(f"{scale} {lapses}")
    search, held = Search(50.0, 2000.0), 0
    for _ in range(200):
        limit = math.exp(chance.uniform(math.log(60.0), math.log(1800.0)))
        found, seen = searched(search, noisy(limit, scale, lapses, chance))
        held += found.low <= limit <= found.high
        assert len(seen) <= search.max_steps
    assert held >= 180


@pytest.mark.parametrize("start", [1.0, 50.0])
def test_a_plant_that_always_passes(start: float) -> None:
    """The highest rate is tried, passes, and nothing is said about what lies above."""
    found, seen = searched(Search(start, 20_000.0), lambda rate: True)
    assert (found.rate, found.high, found.ended) == (20_000.0, math.inf, "all passed")
    assert len(seen) == 1 + math.ceil(math.log2(20_000 / start))


def test_a_plant_that_never_passes() -> None:
    """The first rate is tried a second time, and that is all."""
    found, seen = searched(Search(50.0, 20_000.0), lambda rate: False)
    assert (found.rate, found.low, found.high, found.ended) == (0.0, 0.0, 50.0, "none passed")
    assert [one.rate for one in seen] == [50.0, 50.0]
