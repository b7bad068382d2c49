"""circuitbreaker: failures in a row, without a lock."""

from __future__ import annotations

from functools import partial

from circuitbreaker import CircuitBreaker, CircuitBreakerError

from benchmarks._case import Probe
from benchmarks.versus._guards import guarded, opens
from benchmarks.versus._kinds import Makers


def _breaker(is_async: bool) -> Probe:
    opens(CircuitBreaker(failure_threshold=3), 3, CircuitBreakerError, is_async)
    return guarded(CircuitBreaker(), is_async)


def breaker() -> Makers:
    """Closed, around a plain function."""
    return {"CircuitBreaker": partial(_breaker, False)}


def breaker_async() -> Makers:
    """Closed, around a coroutine function."""
    return {"CircuitBreaker": partial(_breaker, True)}
