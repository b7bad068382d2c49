"""Laws of patterns put together: their integrals are those of their parts, and their arrivals follow the integral."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.measure.load import Constant, Linear, Pattern, Plan, Replay, Sine, Spike, Stages, Step, arrival_times

rates = st.floats(0, 300)
pairs = st.tuples(rates, rates).map(sorted)
durations = st.floats(0.5, 30)
parts = st.floats(0.1, 0.9)
smooth: st.SearchStrategy[Pattern] = st.one_of(
    rates.map(Constant),
    st.builds(Linear, rates, rates),
    st.builds(Step, rates, rates, st.integers(2, 6)),
    pairs.map(lambda pair: Spike(*pair)),
    st.builds(lambda pair, period: Sine(*pair, period=period), pairs, st.floats(0.5, 60)),
    st.lists(st.tuples(st.floats(0, 0.01), rates), min_size=1, max_size=4).map(lambda some: Stages([*some, (0.01, 5)])),
)
replays = st.lists(st.floats(0, 40), min_size=1, max_size=30).map(Replay)
simple = smooth | replays


def grown(inner: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    """Patterns made of those given."""
    return st.one_of(
        st.builds(lambda one, other: one + other, inner, inner),
        st.builds(lambda one, factor: one * factor, inner, st.floats(0, 3)),
        st.builds(lambda one, other: one.then(other, after=0.1), simple, inner),
        st.builds(lambda one, pair: one.clip(*pair), inner, pairs),
    )


composed = st.recursive(simple, grown, max_leaves=4)


def all_times(plan: Plan, kind: str = "uniform", seed: int | None = None) -> np.ndarray:
    """All due times in one array."""
    return np.concatenate([np.empty(0), *arrival_times(plan, kind, seed=seed, block=512)])


def numeric(plan: Plan, least: float, most: float, slices: int = 20_000) -> float:
    """The integral of a plan's rate within limits, as many thin slices."""
    middles = (np.arange(slices) + 0.5) * (plan.duration / slices)
    return float(np.clip(plan.rates(middles), least, most).sum()) * plan.duration / slices


@given(simple, simple, durations, st.floats(0, 1))
def test_the_integral_of_a_sum_is_the_sum_of_integrals(one: Pattern, other: Pattern, duration: float, p: float) -> None:
    """At every moment, for rates and for integrals."""
    plan, first, second = (pattern.over(duration) for pattern in (one + other, one, other))
    t = p * duration
    assert plan.rate(t) == pytest.approx(first.rate(t) + second.rate(t))
    assert plan.planned(t) == pytest.approx(first.planned(t) + second.planned(t), abs=1e-9)


@given(simple, st.floats(0, 100), durations, st.floats(0, 1))
def test_scaling_scales_the_integral(pattern: Pattern, factor: float, duration: float, p: float) -> None:
    """A factor on the rate is a factor on the integral, on either side of the pattern."""
    plan, once = (pattern * factor).over(duration), pattern.over(duration)
    assert plan.planned(p * duration) == pytest.approx(factor * once.planned(p * duration), abs=1e-9)
    assert (factor * pattern).over(duration).total == plan.total


@given(simple, simple, durations, parts, st.floats(0, 1))
def test_a_sequence_is_the_one_and_then_the_other(
    one: Pattern, other: Pattern, duration: float, part: float, p: float
) -> None:
    """Before the change the integral is the first one's, and after it grows as the second one's."""
    after, t = part * duration, p * duration
    plan = one.then(other, after=after).over(duration)
    first, second = one.over(after), other.over(duration - after)
    expected = first.planned(t) if t < after else first.total + second.planned(t - after)
    assert plan.planned(t) == pytest.approx(expected, abs=1e-6)


@given(smooth, smooth, pairs, durations)
@settings(max_examples=60)
def test_a_clipped_integral_agrees_with_numeric_quadrature(
    one: Pattern, other: Pattern, pair: list[float], duration: float
) -> None:
    """For one pattern and for a sum; a jump may be misplaced by a slice."""
    least, most = pair
    for pattern in (one, one + other):
        inner, plan = pattern.over(duration), pattern.clip(least, most).over(duration)
        jumps = 20 * (most - least) * duration / 20_000
        assert plan.total == pytest.approx(numeric(inner, least, most), rel=1e-4, abs=1e-6 + jumps)


@given(replays, durations)
def test_a_wide_clip_keeps_every_recorded_arrival(replay: Replay, duration: float) -> None:
    """Spreading recorded arrivals loses none and makes none up."""
    plan = replay.over(duration)
    recorded = np.count_nonzero(replay._times <= duration + 1e-9)
    assert plan.spread().total == pytest.approx(recorded)
    assert len(all_times(plan)) == plan.arrivals == plan.total == recorded


@given(composed, durations)
def test_number_of_uniform_arrivals_is_the_integral_rounded(pattern: Pattern, duration: float) -> None:
    """There are exactly as many uniform arrivals as the total rounded, a half up."""
    plan = pattern.over(duration)
    assert len(all_times(plan)) == plan.arrivals == math.floor(plan.planned(plan.duration) + 0.5)


@given(composed, durations, st.sampled_from(["uniform", "poisson"]), st.integers(0, 2**32))
def test_arrivals_are_sorted_within_the_run_and_repeatable(
    pattern: Pattern, duration: float, kind: str, seed: int
) -> None:
    """No arrival is outside of the run or before the one ahead of it, and a seed gives the same again."""
    times = all_times(pattern.over(duration), kind, seed)
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times <= duration * (1 + 1e-12)))
    assert np.array_equal(times, all_times(pattern.over(duration), kind, seed))


@given(composed, durations)
def test_each_arrival_is_where_the_integral_passes_its_share(pattern: Pattern, duration: float) -> None:
    """Just before arrival k the integral is at most k + 1/2, and just after it at least that."""
    plan = pattern.over(duration)
    times = all_times(plan)
    shares = np.arange(len(times)) + 0.5
    hair = 1e-9 * plan.duration
    assert np.all(plan.sums(np.clip(times - hair, 0, None)) * (times > hair) <= shares + 1e-5)
    assert np.all(plan.sums(np.minimum(times + hair, plan.duration)) >= shares - 1e-5)


@given(composed, durations, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_integral_never_falls(pattern: Pattern, duration: float, places: list[float]) -> None:
    """More time never means fewer planned arrivals, and rates are never negative."""
    plan = pattern.over(duration)
    times = np.sort(np.array(places)) * plan.duration
    assert np.all(np.diff(plan.sums(times)) >= -1e-9)
    assert np.all(plan.rates(times) >= 0)
