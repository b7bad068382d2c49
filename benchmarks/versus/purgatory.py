"""purgatory: a circuit looked up by its name for every call; one class for plain functions and one for coroutines."""

from __future__ import annotations

from functools import partial

from purgatory import AsyncCircuitBreakerFactory, SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from benchmarks._case import Probe
from benchmarks.versus._guards import guarded, opens
from benchmarks.versus._kinds import Makers


def _breaker(is_async: bool) -> Probe:
    kind = AsyncCircuitBreakerFactory if is_async else SyncCircuitBreakerFactory
    opens(kind(default_threshold=3)("small"), 3, OpenedState, is_async)
    return guarded(kind()("callee"), is_async)


def breaker() -> Makers:
    """Closed, around a plain function."""
    return {"SyncCircuitBreakerFactory": partial(_breaker, False)}


def breaker_async() -> Makers:
    """Closed, around a coroutine function."""
    return {"AsyncCircuitBreakerFactory": partial(_breaker, True)}
