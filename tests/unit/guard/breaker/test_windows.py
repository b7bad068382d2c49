"""What ratios are counted over, and when they open a breaker."""

from typing import Any

import pytest
from tests.unit.guard.breaker.driving import breaker_at, outcomes

from seawall.clock import ManualClock
from seawall.guard.breaker import Calls, CircuitBreaker, Seconds


def by_ratio(clock: ManualClock, **options: Any) -> CircuitBreaker:
    """Opens at half of at least four of the last ten calls, unless told otherwise."""
    return breaker_at(
        clock, **{"consecutive": None, "failure_ratio": 0.5, "min_calls": 4, "window": Calls(10), **options}
    )


def slow_calls(breaker: CircuitBreaker, clock: ManualClock, times: str) -> None:
    """Calls that succeed, each taking as many seconds as its digit says."""
    for seconds in times:
        permit = breaker.enter()
        clock.advance(int(seconds))
        permit.success()


@pytest.mark.parametrize(
    ("ratio", "calls", "closed", "opens"),
    [
        (0.5, 4, "ssf", "f"),
        (1.0, 4, "fff", "f"),
        (0.1, 10, "sssssssss", "f"),
        (0.3, 10, "sssssssff", "f"),
        (0.7, 10, "sssffffff", "f"),
        (1e-13, 10, "sssssssss", "f"),
    ],
)
def test_a_ratio_that_is_reached_opens(clock: ManualClock, ratio: float, calls: int, closed: str, opens: str) -> None:
    """Reached is enough, it need not be exceeded: also at 1.0, and at tenths that no float holds exactly."""
    breaker = by_ratio(clock, failure_ratio=ratio, min_calls=calls)
    outcomes(breaker, closed)
    assert breaker.state == "closed"
    outcomes(breaker, opens)
    assert breaker.state == "open"


def test_a_ratio_that_is_missed_by_one_call_does_not_open(clock: ManualClock) -> None:
    """Four of ten are not half, 29 of 100 are not 0.3."""
    breaker = by_ratio(clock, min_calls=10)
    outcomes(breaker, "sssfsfsfsf")
    assert breaker.state == "closed"
    breaker = by_ratio(clock, failure_ratio=0.3, min_calls=100, window=Calls(100))
    outcomes(breaker, "s" * 71 + "f" * 29)
    assert breaker.state == "closed"


def test_below_min_calls_ratios_decide_nothing(clock: ManualClock) -> None:
    """Three failures of three say nothing when four are asked for, and the fourth call decides even by succeeding."""
    breaker = by_ratio(clock)
    outcomes(breaker, "fff")
    assert breaker.state == "closed"
    outcomes(breaker, "s")
    assert breaker.state == "open"


def test_a_window_of_calls_holds_exactly_the_newest(clock: ManualClock) -> None:
    """Of ten places the eleventh call takes the oldest's."""
    breaker = by_ratio(clock, failure_ratio=0.4, min_calls=10)
    outcomes(breaker, "fffsssssss")
    assert (breaker.stats().calls, breaker.stats().window_failures) == (10, 3)
    outcomes(breaker, "f")
    assert breaker.stats().window_failures == 3
    outcomes(breaker, "sssssssss")
    assert (breaker.stats().calls, breaker.stats().window_failures) == (10, 1)


def test_a_window_of_time_forgets_what_is_old(clock: ManualClock) -> None:
    """Outcomes leave a window of ten seconds when it has passed, a tenth at a time."""
    breaker = by_ratio(clock, window=Seconds(10), min_calls=100)
    for _ in range(10):
        outcomes(breaker, "fs")
        clock.advance(1)
    assert (breaker.stats().calls, breaker.stats().window_failures) == (18, 9)
    clock.advance(5)
    assert (breaker.stats().calls, breaker.stats().window_failures) == (8, 4)
    clock.advance(5)
    assert breaker.stats().calls == 0
    assert breaker.stats().failure_ratio == 0.0


def test_a_window_of_time_opens_by_what_is_in_it(clock: ManualClock) -> None:
    """Failures spread wider than the window never add up; the same number inside it opens."""
    breaker = by_ratio(clock, window=Seconds(10), min_calls=4)
    for _ in range(20):
        outcomes(breaker, "f")
        clock.advance(4)
    assert breaker.state == "closed"
    outcomes(breaker, "ff")
    assert breaker.state == "open"


def test_a_call_that_takes_slow_after_is_slow(clock: ManualClock) -> None:
    """Half of four calls that took two seconds open, a success being slow too; shorter ones do not."""
    breaker = by_ratio(clock, failure_ratio=None, slow_after=2)
    slow_calls(breaker, clock, "1111")
    assert breaker.stats().window_slow == 0
    slow_calls(breaker, clock, "232")
    assert (breaker.state, breaker.stats().window_slow) == ("closed", 3)
    slow_calls(breaker, clock, "2")
    assert breaker.state == "open"
    assert (breaker.stats().slow, breaker.stats().successes, breaker.stats().failures) == (4, 8, 0)


def test_the_slow_ratio_is_its_own_or_that_of_failures(clock: ManualClock) -> None:
    """slow_ratio decides; without it failure_ratio does; without both half."""
    for options, opens_at in (({"slow_ratio": 1.0}, 4), ({"failure_ratio": 0.75}, 3), ({"failure_ratio": None}, 2)):
        breaker = by_ratio(clock, slow_after=2, **options)
        slow_calls(breaker, clock, "0" * (4 - opens_at) + "2" * (opens_at - 1))
        assert breaker.state == "closed"
        slow_calls(breaker, clock, "2")
        assert breaker.state == "open"


def test_a_slow_success_ends_a_row_of_failures(clock: ManualClock) -> None:
    """Consecutive counts failures; a slow call is none."""
    breaker = by_ratio(clock, failure_ratio=None, slow_after=2, slow_ratio=1.0, consecutive=2, min_calls=10)
    outcomes(breaker, "f")
    slow_calls(breaker, clock, "2")
    assert breaker.stats().consecutive == 0
    outcomes(breaker, "ff")
    assert breaker.state == "open"


def test_consecutive_needs_no_min_calls(clock: ManualClock) -> None:
    """Failures in a row open however few calls there were."""
    breaker = by_ratio(clock, consecutive=3, min_calls=10)
    outcomes(breaker, "ff")
    assert breaker.state == "closed"
    outcomes(breaker, "f")
    assert breaker.state == "open"


def test_any_condition_opens_by_default_and_all_must_hold_when_asked(clock: ManualClock) -> None:
    """combine="all" waits for the ratio and the row together."""
    conditions = {"consecutive": 2, "failure_ratio": 0.5, "min_calls": 4}
    breaker = by_ratio(clock, **conditions)
    outcomes(breaker, "ff")
    assert breaker.state == "open"
    breaker = by_ratio(clock, **conditions, combine="all")
    outcomes(breaker, "ffsfsf")
    assert breaker.state == "closed"
    outcomes(breaker, "f")
    assert breaker.state == "open"
