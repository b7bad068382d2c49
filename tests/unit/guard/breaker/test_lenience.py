"""Breakers that only say what they would do."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen


def test_a_shadow_decides_and_refuses_nobody(clock: ManualClock) -> None:
    """Every call passes, the refusals are counted, and the states are those of a real one."""
    breaker, calls = breaker_at(clock, shadow=True), []
    fail(breaker, 2)
    guarded = breaker(lambda: calls.append(1))
    told = []
    breaker.call_refused.connect(told.append)
    for _ in range(3):
        guarded()
    with breaker:
        calls.append(1)
    permit = breaker.try_enter()
    assert permit
    assert not permit.is_probe
    permit.failure()
    stats = breaker.stats()
    assert (len(calls), stats.refused, stats.let_through, len(told)) == (4, 5, 5, 5)
    assert (stats.state, stats.failures, stats.late) == ("open", 2, 0)
    assert (breaker.shadow, breaker.enforce) == (True, 0.0)
    clock.advance(2)
    guarded()
    assert breaker.state == "closed"


def test_enforce_lets_its_share_of_refusals_stand(clock: ManualClock) -> None:
    """A quarter of the refusals is real, evenly spread."""
    breaker = breaker_at(clock, enforce=0.25)
    fail(breaker, 2)
    refused = 0
    guarded = breaker(lambda: None)
    for call in (guarded, breaker.enter):
        for _ in range(200):
            try:
                call()
            except CircuitOpen:
                refused += 1
    assert refused == 100
    assert breaker.stats().let_through == 300
    assert breaker.enforce == 0.25


def test_enforcing_nothing_is_a_shadow_and_everything_is_normal(clock: ManualClock) -> None:
    """The two ends."""
    assert breaker_at(clock, enforce=0).shadow
    breaker = breaker_at(clock, enforce=1)
    fail(breaker, 2)
    with pytest.raises(CircuitOpen):
        breaker.enter()


def test_an_interrupt_while_refusing_is_not_let_through(clock: ManualClock) -> None:
    """Ctrl-C in a receiver of the refusal ends the call even in a shadow."""
    breaker = breaker_at(clock, shadow=True)
    fail(breaker, 2)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with breaker.call_refused.connect(interrupt):
        for use in (breaker(lambda: None), breaker.try_enter):
            with pytest.raises(KeyboardInterrupt):
                use()
