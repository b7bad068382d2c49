"""The pace: as asked where that is cheap, within the budget where it is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seawall.observe.profiler._pace import Pace

MS = 1_000_000


def ran(pace: Pace, costs: list[int], chance: float = 0.5) -> list[int]:
    """The moments of samples of these costs, each taken as soon as it is due."""
    pace.begin(0, chance)
    moments, last = [], 0
    for cost in costs:
        now = pace.due
        pace.after(now, now - last, cost, chance)
        moments.append(now)
        last = now
    return moments


def test_cheap_samples_come_as_often_as_asked() -> None:
    """What costs less than the budget is never held back."""
    pace = Pace(10 * MS, 0.02)
    assert ran(pace, [MS // 10] * 5) == [10 * MS, 20 * MS, 30 * MS, 40 * MS, 50 * MS]
    assert (pace.held_back, pace.slowed, pace.spent) == (0, False, MS // 2)


def test_a_dear_sample_is_paid_off_before_the_next() -> None:
    """A millisecond at a budget of one in a hundred is followed by a tenth of a second of rest."""
    pace = Pace(10 * MS, 0.01)
    moments = ran(pace, [MS, 0, 0])
    assert moments[1] - moments[0] == 90 * MS
    assert pace.held_back == 1


def test_it_says_once_that_the_budget_holds_it_back() -> None:
    """The change is told, not each sample; and again after it was fast."""
    pace = Pace(10 * MS, 0.01)
    pace.begin(0, 0.5)
    told = [pace.after(pace.due, 10 * MS, cost, 0.5) for cost in (MS, MS, MS)]
    assert told == [True, False, False]
    for _ in range(40):
        pace.after(pace.due, 10 * MS, 0, 0.5)
    assert not pace.slowed
    assert pace.after(pace.due, 10 * MS, MS, 0.5)


def test_missed_samples_are_not_made_up_for() -> None:
    """After a second in which the process could not run, the next sample is a period away, not a hundred at once."""
    pace = Pace(10 * MS, 0.5)
    pace.begin(0, 0.5)
    pace.after(1_000 * MS, 1_000 * MS, 0, 0.5)
    assert pace.due == 1_010 * MS


@given(chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=30))
def test_steps_are_between_half_a_period_and_one_and_a_half(chances: list[float]) -> None:
    """Chance moves each sample, so that nothing periodic keeps step with it."""
    pace = Pace(10 * MS, 0.5)
    pace.begin(0, chances[0])
    last = pace.due
    for chance in chances[1:]:
        pace.after(last, 10 * MS, 0, chance)
        assert 5 * MS <= pace.due - last <= 15 * MS
        last = pace.due


@given(
    costs=st.lists(st.integers(0, 20 * MS), min_size=1, max_size=60),
    budget=st.floats(0.001, 0.5),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_the_budget_holds_over_any_length_of_time(costs: list[int], budget: float, chance: float) -> None:
    """Between any two samples, what was spent is at most the budget of that time, one sample and one period's share."""
    pace = Pace(10 * MS, budget)
    moments = ran(pace, costs, chance)
    for i in range(len(costs)):
        for j in range(i + 1, len(costs)):
            allowed = budget * (moments[j] - moments[i]) + max(costs) + budget * pace.period + (j - i)
            assert sum(costs[i:j]) <= allowed
