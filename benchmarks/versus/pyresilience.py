"""pyresilience: one decorator for all policies, in an order of its own."""

from __future__ import annotations

from functools import partial

from pyresilience import (
    BulkheadConfig,
    BulkheadFullError,
    CircuitBreakerConfig,
    CircuitOpenError,
    RateLimiterConfig,
    RetryConfig,
    resilient,
)

from benchmarks._case import Probe
from benchmarks.versus._guards import ATTEMPTS, ROOMY, admits_one, guarded, opens, tries_again
from benchmarks.versus._kinds import Makers


def _again(delay: float) -> RetryConfig:
    return RetryConfig(max_attempts=ATTEMPTS, delay=delay)


def _breaker(is_async: bool) -> Probe:
    opens(resilient(circuit_breaker=CircuitBreakerConfig(failure_threshold=3)), 3, CircuitOpenError, is_async)
    return guarded(resilient(circuit_breaker=CircuitBreakerConfig()), is_async)


def _breaker_with_window(is_async: bool) -> Probe:
    window = CircuitBreakerConfig(sliding_window_size=3, minimum_calls=3)
    opens(resilient(circuit_breaker=window), 3, CircuitOpenError, is_async)
    # As many of the newest calls as ours looks at.
    hundred = CircuitBreakerConfig(sliding_window_size=100, minimum_calls=10)
    return guarded(resilient(circuit_breaker=hundred), is_async)


def _retry(is_async: bool) -> Probe:
    tries_again(resilient(retry=_again(0)), is_async)
    return guarded(resilient(retry=_again(1)), is_async)


def _bulkhead(is_async: bool) -> Probe:
    admits_one(resilient(bulkhead=BulkheadConfig(max_concurrent=1)), BulkheadFullError, is_async)
    return guarded(resilient(bulkhead=BulkheadConfig(max_concurrent=10)), is_async)


def _composed(is_async: bool) -> Probe:
    four = {
        "circuit_breaker": CircuitBreakerConfig(),
        "rate_limiter": RateLimiterConfig(max_calls=ROOMY, period=1.0),
        "bulkhead": BulkheadConfig(max_concurrent=10),
    }
    tries_again(resilient(retry=_again(0), **four), is_async)
    return guarded(resilient(retry=_again(1), **four), is_async)


def breaker() -> Makers:
    """Closed, around a plain function."""
    return {
        "resilient, failures in a row": partial(_breaker, False),
        "resilient, window of 100": partial(_breaker_with_window, False),
    }


def breaker_async() -> Makers:
    """Closed, around a coroutine function."""
    return {
        "resilient, failures in a row": partial(_breaker, True),
        "resilient, window of 100": partial(_breaker_with_window, True),
    }


def retry() -> Makers:
    """The first attempt succeeds, of a plain function."""
    return {"resilient": partial(_retry, False)}


def retry_async() -> Makers:
    """The first attempt succeeds, of a coroutine function."""
    return {"resilient": partial(_retry, True)}


def bulkhead() -> Makers:
    """A place is free, for a plain function."""
    return {"resilient": partial(_bulkhead, False)}


def bulkhead_async() -> Makers:
    """A place is free, for a coroutine function."""
    return {"resilient": partial(_bulkhead, True)}


def composed() -> Makers:
    """Breaker, retry, limit and bulkhead around a plain function."""
    return {"resilient with four": partial(_composed, False)}


def composed_async() -> Makers:
    """Breaker, retry, limit and bulkhead around a coroutine function."""
    return {"resilient with four": partial(_composed, True)}
