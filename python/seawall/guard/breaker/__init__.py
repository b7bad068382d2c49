"""The circuit breaker."""

from seawall._core.breaker import Permit, Refusal
from seawall.guard.breaker._breaker import CircuitBreaker
from seawall.guard.breaker._events import BreakerStats, CallRefused, StateChanged
from seawall.guard.breaker._options import BreakerOptions, Calls, OpeningTimes, Ramp, Seconds

__all__ = [
    "BreakerOptions",
    "BreakerStats",
    "CallRefused",
    "Calls",
    "CircuitBreaker",
    "OpeningTimes",
    "Permit",
    "Ramp",
    "Refusal",
    "Seconds",
    "StateChanged",
]
