"""What people do to a breaker."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, outcomes, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen


def test_forced_open_refuses_until_told_otherwise(clock: ManualClock) -> None:
    """No time ends it, and no time can be given for trying again."""
    breaker = breaker_at(clock)
    assert breaker.force_open()
    assert not breaker.force_open()
    clock.advance(1e6)
    with pytest.raises(CircuitOpen) as caught:
        breaker.enter()
    assert str(caught.value) == "circuit breaker payments is forced open"
    assert (caught.value.retry_after, caught.value.state) == (None, "forced_open")
    refusal = breaker.try_enter()
    assert refusal.retry_after is None
    assert repr(refusal) == "<Refusal by 'payments': forced_open>"
    assert breaker.force_close()
    assert breaker.enter()


def test_force_close_closes_with_an_empty_window(clock: ManualClock) -> None:
    """Also in the middle of an opening; the row of trips ends."""
    breaker = opened(clock)
    assert breaker.force_close()
    assert not breaker.force_close()
    stats = breaker.stats()
    assert (stats.state, stats.calls, stats.trips) == ("closed", 0, 0)
    fail(breaker)
    assert breaker.state == "closed"


def test_disabled_lets_pass_and_counts_nothing(clock: ManualClock) -> None:
    """As if it were not there."""
    breaker = breaker_at(clock)
    assert breaker.disable()
    outcomes(breaker, "fffsi")
    stats = breaker.stats()
    assert (stats.state, stats.calls, stats.successes, stats.failures, stats.ignored) == ("disabled", 0, 0, 0, 0)
    assert stats.share == 1.0


def test_metrics_only_lets_pass_and_counts(clock: ManualClock) -> None:
    """It never opens, and shows what it saw."""
    breaker = breaker_at(clock)
    assert breaker.metrics_only()
    outcomes(breaker, "fffsffff")
    stats = breaker.stats()
    assert (stats.state, stats.calls, stats.window_failures, stats.consecutive) == ("metrics_only", 8, 7, 4)
    assert (stats.successes, stats.failures) == (1, 7)


def test_reset_is_as_new(clock: ManualClock) -> None:
    """Closed, nothing counted, statistics zero; what was under way is late."""
    breaker, probe = probing(clock)
    breaker.reset()
    probe.failure()
    stats = breaker.stats()
    assert (stats.state, stats.trips, stats.calls, stats.failures, stats.transitions) == ("closed", 0, 0, 0, 0)
    assert stats.late == 1


@pytest.mark.parametrize("change", ["force_open", "disable", "metrics_only", "reset"])
def test_a_change_by_hand_makes_answers_late(clock: ManualClock, change: str) -> None:
    """A call that began before it changes nothing when it ends after it."""
    breaker = breaker_at(clock, consecutive=1)
    permit = breaker.enter()
    getattr(breaker, change)()
    state = breaker.state
    permit.failure()
    assert (breaker.state, breaker.stats().late) == (state, 1)
