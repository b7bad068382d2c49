"""pybreaker: plain functions; its coroutines are tornado's. A lock around every call."""

from __future__ import annotations

from pybreaker import CircuitBreaker, CircuitBreakerError

from benchmarks._case import Probe
from benchmarks.versus._guards import guarded, opens
from benchmarks.versus._kinds import Makers


def _breaker() -> Probe:
    opens(CircuitBreaker(fail_max=3), 3, CircuitBreakerError, False)
    return guarded(CircuitBreaker(), False)


def breaker() -> Makers:
    """Closed, around a plain function."""
    return {"CircuitBreaker": _breaker}
