"""Clocks that jump an hour, and what that must not change."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, outcomes, probing, recovering, succeed

from seawall.clock import ManualClock
from seawall.guard.breaker import Calls, Ramp, Seconds

HOUR = 3600.0


@pytest.fixture
def clock() -> ManualClock:
    """A clock with an hour and more to step back."""
    return ManualClock(HOUR * 2)


def test_a_closed_breaker_keeps_its_window_by_calls(clock: ManualClock) -> None:
    """Forward or back, a window of calls holds the same calls."""
    for step in (clock.advance, clock.step_back):
        breaker = breaker_at(clock, consecutive=50)
        outcomes(breaker, "fsfs")
        step(HOUR)
        stats = breaker.stats()
        assert (stats.state, stats.calls, stats.window_failures) == ("closed", 4, 2)


def test_a_window_by_seconds_loses_nothing_to_a_step_back(clock: ManualClock) -> None:
    """Back: everything stays in the window. Forward: what is old is gone, and the breaker goes on."""
    breaker = breaker_at(clock, consecutive=50, window=Seconds(60))
    outcomes(breaker, "fs")
    clock.step_back(HOUR)
    outcomes(breaker, "fs")
    assert (breaker.state, breaker.stats().calls) == ("closed", 4)
    clock.advance(2 * HOUR)
    assert breaker.stats().calls == 0
    outcomes(breaker, "ss")
    assert breaker.stats().calls == 2


def test_an_open_breaker_neither_opens_for_longer_nor_closes_by_a_step_back(clock: ManualClock) -> None:
    """It stays open, to the same end; a step forward beyond the end lets a probe in, and no more than that."""
    breaker = opened(clock)
    clock.step_back(HOUR)
    assert not breaker.try_enter()
    clock.advance(HOUR)
    assert breaker.try_enter().retry_after == 2.0
    clock.advance(HOUR)
    assert breaker.enter().is_probe
    assert breaker.state == "half_open"


def test_a_step_back_admits_no_probe_twice(clock: ManualClock) -> None:
    """The place is taken, whatever the clock says; its answer counts."""
    breaker, probe = probing(clock)
    clock.step_back(HOUR)
    assert not breaker.try_enter()
    probe.success()
    assert breaker.state == "closed"


def test_a_call_that_ends_before_it_began_is_not_slow(clock: ManualClock) -> None:
    """Time that goes backwards is no time."""
    breaker = breaker_at(clock, slow_after=1, min_calls=1, slow_ratio=0.01)
    permit = breaker.enter()
    clock.step_back(HOUR)
    permit.success()
    assert (breaker.state, breaker.stats().slow) == ("closed", 0)


def test_a_ramp_neither_closes_nor_ends_by_a_step_back(clock: ManualClock) -> None:
    """By time: nothing is gained, and the clock's return finds it where it was. By calls: the clock does not matter."""
    breaker = recovering(clock, recovery=Ramp(over=8, start=0.5))
    clock.advance(4)
    clock.step_back(HOUR)
    assert (breaker.state, breaker.stats().share) == ("recovering", 0.5)
    clock.advance(HOUR)
    assert breaker.stats().share == pytest.approx(0.75, abs=1e-6)
    by_calls = recovering(clock, recovery=Ramp(over=Calls(3), start=1))
    clock.advance(HOUR)
    succeed(by_calls, 2)
    clock.step_back(HOUR)
    assert by_calls.state == "recovering"
    succeed(by_calls)
    assert by_calls.state == "closed"


def test_states_by_hand_know_no_time(clock: ManualClock) -> None:
    """Forced open stays so; disabled lets pass."""
    breaker = breaker_at(clock)
    breaker.force_open()
    for step in (clock.advance, clock.step_back, clock.step_back):
        step(HOUR)
        assert not breaker.try_enter()
    breaker.disable()
    fail(breaker, 5)
    assert breaker.state == "disabled"
