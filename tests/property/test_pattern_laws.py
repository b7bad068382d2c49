"""Laws that hold for every pattern over every duration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.measure.load import Constant, Linear, Pattern, Plan, Sine, Spike, Stages, Step, arrival_times

rates = st.floats(0, 500)
pairs = st.tuples(rates, rates).map(sorted)
durations = st.floats(0.05, 30)
patterns: st.SearchStrategy[Pattern] = st.one_of(
    rates.map(Constant),
    st.builds(Linear, rates, rates),
    st.builds(Step, rates, rates, st.integers(2, 12)),
    pairs.map(lambda pair: Spike(*pair)),
    st.builds(lambda pair, period: Sine(*pair, period=period), pairs, st.none() | st.floats(0.1, 60)),
    st.builds(Stages, st.lists(st.tuples(st.floats(0.001, 0.01), rates), min_size=1, max_size=4)),
)
plans: st.SearchStrategy[Plan] = st.builds(lambda pattern, duration: pattern.over(duration), patterns, durations)


def all_times(plan: Plan, kind: str = "uniform", seed: int | None = None, block: int = 64) -> np.ndarray:
    """All due times in one array."""
    return np.concatenate([np.empty(0), *arrival_times(plan, kind, seed=seed, block=block)])


@given(plans, st.floats(0, 1))
def test_integral_agrees_with_numeric_quadrature(plan: Plan, part: float) -> None:
    """The closed-form integral equals the sum of many thin slices of the rate."""
    until, slices = plan.duration * part, 4000
    middles = (np.arange(slices) + 0.5) * (until / slices)
    numeric = sum(plan.rate(t) for t in middles.tolist()) * until / slices
    # A jump in the rate can be misplaced by at most one slice; there are at most twelve.
    assert plan.planned(until) == pytest.approx(numeric, rel=1e-3, abs=1e-3 + 12 * 500 * until / slices)


@given(plans)
def test_number_of_uniform_arrivals_is_the_integral_rounded(plan: Plan) -> None:
    """There are exactly as many uniform arrivals as the total rounded, a half up."""
    assert len(all_times(plan)) == plan.arrivals == math.floor(plan.planned(plan.duration) + 0.5)


@given(plans, st.sampled_from(["uniform", "poisson"]), st.integers(0, 2**32))
def test_arrivals_are_sorted_and_within_the_run(plan: Plan, kind: str, seed: int) -> None:
    """No arrival is before the start, after the end, or before the one ahead of it."""
    times = all_times(plan, kind, seed)
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times <= plan.duration))


@given(plans)
def test_each_arrival_is_where_the_integral_says(plan: Plan) -> None:
    """The integral at arrival k is k + 1/2, from the first to the last."""
    for k, t in enumerate(all_times(plan).tolist()):
        assert plan.planned(t) == pytest.approx(k + 0.5, rel=1e-9, abs=1e-6)


@given(plans, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_integral_never_falls(plan: Plan, parts: list[float]) -> None:
    """More time never means fewer planned arrivals."""
    sums = [plan.planned(plan.duration * part) for part in sorted(parts)]
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(sums))


@given(plans, st.sampled_from(["uniform", "poisson"]), st.integers(1, 100))
def test_blocks_do_not_change_the_arrivals(plan: Plan, kind: str, block: int) -> None:
    """Uniform times do not depend on the size of the blocks, and no block is empty or larger than asked."""
    blocks = list(arrival_times(plan, kind, seed=7, block=block))
    assert all(0 < len(times) <= block for times in blocks)
    if kind == "uniform":
        assert np.allclose(np.concatenate([np.empty(0), *blocks]), all_times(plan, block=100_000), rtol=0, atol=1e-9)


@given(plans, st.integers(0, 2**32))
def test_a_seed_repeats_poisson_arrivals(plan: Plan, seed: int) -> None:
    """The same seed gives the same times."""
    assert np.array_equal(all_times(plan, "poisson", seed), all_times(plan, "poisson", seed))


@given(plans, st.integers(1, 50))
def test_levels_add_up_to_the_total(plan: Plan, n: int) -> None:
    """The mean rates of equal slices, times their length, are the total."""
    assert sum(plan.levels(n)) * plan.duration / n == pytest.approx(plan.total, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "pattern", [Constant(100), Linear(0, 200), Step(10, 190), Spike(90, 190), Sine(0, 200)], ids=repr
)
def test_poisson_arrivals_have_the_planned_mean_and_spread(pattern: Pattern) -> None:
    """Over many seeds the mean and the variance of the count are the integral, as a Poisson count's must be."""
    plan = pattern.over(2.0)
    counts = [len(all_times(plan, "poisson", seed)) for seed in range(400)]
    error = math.sqrt(plan.total / len(counts))
    assert abs(np.mean(counts) - plan.total) < 5 * error
    assert 0.7 < np.var(counts) / plan.total < 1.3


@pytest.mark.parametrize("pattern", [Linear(0, 200), Spike(20, 900), Sine(0, 200)], ids=repr)
def test_poisson_arrivals_follow_the_shape(pattern: Pattern) -> None:
    """In each tenth of the run the mean count over many seeds is what the integral says."""
    plan = pattern.over(10.0)
    edges = np.linspace(0, 10, 11)
    counts = np.mean([np.histogram(all_times(plan, "poisson", seed), edges)[0] for seed in range(200)], axis=0)
    expected = np.array(plan.levels(10))
    assert np.all(np.abs(counts - expected) <= 5 * np.sqrt(expected / 200) + 1e-9)
