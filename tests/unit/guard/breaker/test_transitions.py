"""The states of a breaker, and what leads from each to the next."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, outcomes, probing, recovering, succeed

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen
from seawall.guard.breaker import Ramp


def test_a_closed_breaker_admits_and_opens_when_its_condition_is_met(clock: ManualClock) -> None:
    """Closed until the second failure in a row, open from then on."""
    breaker = breaker_at(clock)
    assert breaker.state == "closed"
    outcomes(breaker, "fsfsf")
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"


def test_an_open_breaker_refuses_with_the_time_left(clock: ManualClock) -> None:
    """Refusals say how long it is until the next try, as value and as exception."""
    breaker = opened(clock)
    clock.advance(0.5)
    refusal = breaker.try_enter()
    assert not refusal
    assert (refusal.policy, refusal.state, refusal.retry_after) == ("payments", "open", 1.5)
    with pytest.raises(CircuitOpen) as caught:
        breaker.enter()
    assert str(caught.value) == "circuit breaker payments is open; retry in 1.5 s"
    error = caught.value
    assert (error.policy, error.state, error.retry_after, error.key) == ("payments", "open", 1.5, None)


def test_an_open_breaker_stays_open_until_a_call_asks(clock: ManualClock) -> None:
    """The time that ends an opening changes nothing by itself; the first call after it does."""
    breaker = opened(clock)
    clock.advance(100)
    assert breaker.state == "open"
    assert breaker.stats().open_for == 0.0
    assert breaker.try_enter()
    assert breaker.state == "half_open"


def test_half_open_closes_when_all_probes_succeeded(clock: ManualClock) -> None:
    """Three probes, three successes, closed, with nothing left of the trouble before."""
    breaker, first = probing(clock, probes=3)
    second, third = breaker.enter(), breaker.enter()
    assert not breaker.try_enter()
    third.success()
    first.success()
    assert breaker.state == "half_open"
    second.success()
    assert breaker.state == "closed"
    stats = breaker.stats()
    assert (stats.calls, stats.consecutive, stats.trips) == (0, 0, 0)
    fail(breaker)
    assert breaker.state == "closed"


def test_the_first_failed_probe_opens_again(clock: ManualClock) -> None:
    """One failed probe is enough, whatever the other probes say later."""
    breaker, first = probing(clock, probes=3)
    second, third = breaker.enter(), breaker.enter()
    first.success()
    second.failure()
    assert breaker.state == "open"
    third.success()
    assert breaker.state == "open"
    assert (breaker.stats().trips, breaker.stats().late) == (2, 1)


def test_after_the_probes_comes_the_ramp(clock: ManualClock) -> None:
    """With a recovery the breaker is recovering first, and closed when the ramp has ended."""
    breaker = recovering(clock, recovery=Ramp(over=8, start=0.25))
    assert breaker.stats().trips == 1
    clock.advance(8)
    assert breaker.try_enter()
    assert breaker.state == "closed"
    assert breaker.stats().trips == 0


def test_recovering_opens_when_the_condition_is_met_again(clock: ManualClock) -> None:
    """Two failures in a row while recovering open it for the second time in a row."""
    breaker = recovering(clock, recovery=Ramp(over=8, start=1))
    fail(breaker, 2)
    assert breaker.state == "open"
    assert breaker.stats().trips == 2


def test_trips_count_openings_in_a_row(clock: ManualClock) -> None:
    """Each failed probe adds one, and a closed breaker begins anew."""
    breaker = opened(clock)
    for trips in (1, 2, 3, 4):
        assert breaker.stats().trips == trips
        clock.advance(2)
        fail(breaker)
    clock.advance(2)
    succeed(breaker)
    assert (breaker.state, breaker.stats().trips) == ("closed", 0)


def test_what_came_before_an_opening_is_not_in_the_window_after_it(clock: ManualClock) -> None:
    """A window is one era's: the failures that opened it do not open it again."""
    breaker, probe = probing(clock, consecutive=None, failure_ratio=0.5, min_calls=2)
    probe.success()
    outcomes(breaker, "ss")
    assert breaker.stats().window_failures == 0
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
