"""How traffic comes back after the probes."""

import pytest
from tests.unit.guard.breaker.driving import fail, opened, outcomes, recovering, succeed

from seawall.clock import ManualClock
from seawall.guard.breaker import Calls, Ramp


def admitted(breaker, calls: int) -> int:
    """How many of so many calls pass; they say nothing."""
    return sum(permit.ignore() is None for permit in (breaker.try_enter() for _ in range(calls)) if permit)


def test_a_ramp_by_time_admits_a_growing_share(clock: ManualClock) -> None:
    """From a quarter to all in eight seconds, evenly."""
    breaker = recovering(clock, recovery=Ramp(over=8, start=0.25))
    for share in (0.25, 0.4375, 0.625, 0.8125):
        assert breaker.stats().share == pytest.approx(share, abs=1e-6)
        assert abs(admitted(breaker, 160) - 160 * share) <= 1
        clock.advance(2)
    assert admitted(breaker, 100) == 100
    assert breaker.state == "closed"
    assert breaker.stats().share == 1.0


def test_a_refusal_while_recovering_says_when_the_ramp_is_further(clock: ManualClock) -> None:
    """A tenth of the ramp on, the next of those left out may pass."""
    breaker = recovering(clock, recovery=Ramp(over=10, start=0.001))
    refusal = next(answer for answer in (breaker.try_enter() for _ in range(2)) if not answer)
    assert refusal.state == "recovering"
    assert refusal.retry_after == pytest.approx(1.0, abs=1e-6)
    assert str(refusal.exception()) == "circuit breaker payments is recovering; retry in 1 s"


def test_a_ramp_by_calls_grows_with_each_success(clock: ManualClock) -> None:
    """Four successes close it, however long they take."""
    breaker = recovering(clock, recovery=Ramp(over=Calls(4), start=0.5))
    for share in (0.5, 0.625, 0.75, 0.875):
        assert breaker.stats().share == pytest.approx(share, abs=1e-6)
        assert breaker.state == "recovering"
        clock.advance(1000)
        while not (permit := breaker.try_enter()):
            pass
        permit.success()
    assert breaker.state == "closed"


def test_a_failure_sets_a_ramp_by_calls_back(clock: ManualClock) -> None:
    """It leaves `backoff` of the progress."""
    breaker = recovering(clock, recovery=Ramp(over=Calls(8), start=1, backoff=0.5))
    succeed(breaker, 6)
    fail(breaker)  # from six to three
    succeed(breaker, 4)
    assert breaker.state == "recovering"
    succeed(breaker)
    assert breaker.state == "closed"


def test_a_failure_sets_a_ramp_by_time_back(clock: ManualClock) -> None:
    """Of four seconds of progress two are left, so that six more are needed."""
    breaker = recovering(clock, recovery=Ramp(over=8, start=0.5, backoff=0.5))
    clock.advance(4)
    assert breaker.stats().share == pytest.approx(0.75, abs=1e-6)
    while not (permit := breaker.try_enter()):
        pass
    permit.failure()
    assert breaker.stats().share == pytest.approx(0.625, abs=1e-6)
    clock.advance(5.9)
    assert admitted(breaker, 1) <= 1
    assert breaker.state == "recovering"
    clock.advance(0.2)
    assert admitted(breaker, 1) == 1
    assert breaker.state == "closed"


def test_backoff_zero_begins_again_and_one_forgives(clock: ManualClock) -> None:
    """The two ends of backoff."""
    for backoff, share in ((0.0, 0.5), (1.0, 0.75)):
        breaker = recovering(clock, recovery=Ramp(over=8, start=0.5, backoff=backoff))
        clock.advance(4)
        while not (permit := breaker.try_enter()):
            pass
        permit.failure()
        assert breaker.stats().share == pytest.approx(share, abs=1e-6)


def test_without_recovery_the_probes_close(clock: ManualClock) -> None:
    """recovery=None lets everybody in at once."""
    breaker = opened(clock, recovery=None, probes=2)
    clock.advance(2)
    outcomes(breaker, "ss")
    assert breaker.state == "closed"
    assert admitted(breaker, 50) == 50


def test_calls_that_say_nothing_make_no_progress(clock: ManualClock) -> None:
    """Only successes count for a ramp by calls."""
    breaker = recovering(clock, recovery=Ramp(over=Calls(2), start=1))
    outcomes(breaker, "iiii")
    assert breaker.state == "recovering"
    outcomes(breaker, "ss")
    assert breaker.state == "closed"
