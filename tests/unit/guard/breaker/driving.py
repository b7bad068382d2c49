"""Ways to drive a breaker, for its tests."""

from __future__ import annotations

from typing import Any

from seawall.clock import ManualClock
from seawall.guard.breaker import CircuitBreaker, Permit


def breaker_at(clock: ManualClock, **options: Any) -> CircuitBreaker:
    """A breaker that opens for two seconds at the second failure in a row; one probe, no ramp."""
    return CircuitBreaker("payments", clock=clock, **{**PLAIN, **options})


PLAIN: dict[str, Any] = {"consecutive": 2, "failure_ratio": None, "open_for": 2, "probes": 1, "recovery": None}


def fail(breaker: CircuitBreaker, calls: int = 1) -> None:
    """Calls that fail."""
    for _ in range(calls):
        breaker.enter().failure()


def succeed(breaker: CircuitBreaker, calls: int = 1) -> None:
    """Calls that succeed."""
    for _ in range(calls):
        breaker.enter().success()


def outcomes(breaker: CircuitBreaker, text: str) -> None:
    """Calls by letter: f fails, s succeeds, i says nothing."""
    for letter in text:
        permit = breaker.enter()
        {"f": permit.failure, "s": permit.success, "i": permit.ignore}[letter]()


def opened(clock: ManualClock, **options: Any) -> CircuitBreaker:
    """A breaker that has just opened."""
    breaker = breaker_at(clock, **options)
    fail(breaker, 2)
    assert breaker.state == "open"
    return breaker


def probing(clock: ManualClock, **options: Any) -> tuple[CircuitBreaker, Permit]:
    """A half open breaker and its first probe."""
    breaker = opened(clock, **options)
    clock.advance(2)
    probe = breaker.enter()
    assert breaker.state == "half_open"
    assert probe.is_probe
    return breaker, probe


def recovering(clock: ManualClock, **options: Any) -> CircuitBreaker:
    """A breaker whose probes have all succeeded."""
    breaker, probe = probing(clock, **options)
    probe.success()
    succeed(breaker, breaker.options.probes - 1)
    assert breaker.state == "recovering"
    return breaker
