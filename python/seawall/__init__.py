"""seawall: guards that cost nanoseconds, measurements that do not lie.

Every public name is importable from here and loaded when it is first used; importing seawall starts nothing.

====================  ==========================================================================================
seawall.guard         limits and the circuit breaker, later retry, timeout, bulkhead and the pipeline of them
seawall.measure       counters, histograms, the load generator
seawall.clock         clocks and deadlines
seawall.memory        segments that all workers of a machine share
seawall.errors        one hierarchy of errors, and what to make of any error
seawall.patterns      signals, registries, strategies, options and adapters that the house itself is built with
====================  ==========================================================================================
"""

import importlib
from typing import TYPE_CHECKING, Any

_ROOMS = {
    "seawall.clock": ("Deadline", "ManualClock", "SystemClock"),
    "seawall.errors": (
        "BulkheadFull",
        "CircuitOpen",
        "ConfigError",
        "DeadlineExceeded",
        "EngineError",
        "RateLimited",
        "Rejected",
        "RetryBudgetExhausted",
        "SeawallError",
        "SegmentError",
        "Shed",
        "TimeoutExceeded",
    ),
    "seawall.guard.breaker": ("Calls", "CircuitBreaker", "Ramp", "Seconds"),
    "seawall.guard.limits": (
        "AllOf",
        "Decision",
        "FixedWindow",
        "LeakyBucket",
        "Permit",
        "Quota",
        "SlidingLog",
        "SlidingWindow",
        "TokenBucket",
    ),
    "seawall.measure": (
        "Constant",
        "Counter",
        "Gauge",
        "Histogram",
        "Linear",
        "LoadResult",
        "LoadTest",
        "Sine",
        "Spike",
        "Step",
    ),
    "seawall.memory": ("Segment",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "AllOf",
    "BulkheadFull",
    "Calls",
    "CircuitBreaker",
    "CircuitOpen",
    "ConfigError",
    "Constant",
    "Counter",
    "Deadline",
    "DeadlineExceeded",
    "Decision",
    "EngineError",
    "FixedWindow",
    "Gauge",
    "Histogram",
    "LeakyBucket",
    "Linear",
    "LoadResult",
    "LoadTest",
    "ManualClock",
    "Permit",
    "Quota",
    "Ramp",
    "RateLimited",
    "Rejected",
    "RetryBudgetExhausted",
    "SeawallError",
    "Seconds",
    "Segment",
    "SegmentError",
    "Shed",
    "Sine",
    "SlidingLog",
    "SlidingWindow",
    "Spike",
    "Step",
    "SystemClock",
    "TimeoutExceeded",
    "TokenBucket",
]

if TYPE_CHECKING:
    from seawall.clock import Deadline, ManualClock, SystemClock
    from seawall.errors import (
        BulkheadFull,
        CircuitOpen,
        ConfigError,
        DeadlineExceeded,
        EngineError,
        RateLimited,
        Rejected,
        RetryBudgetExhausted,
        SeawallError,
        SegmentError,
        Shed,
        TimeoutExceeded,
    )
    from seawall.guard.breaker import Calls, CircuitBreaker, Ramp, Seconds
    from seawall.guard.limits import (
        AllOf,
        Decision,
        FixedWindow,
        LeakyBucket,
        Permit,
        Quota,
        SlidingLog,
        SlidingWindow,
        TokenBucket,
    )
    from seawall.measure import (
        Constant,
        Counter,
        Gauge,
        Histogram,
        Linear,
        LoadResult,
        LoadTest,
        Sine,
        Spike,
        Step,
    )
    from seawall.memory import Segment


def __getattr__(name: str) -> Any:
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module 'seawall' has no attribute {name!r}")
    value = getattr(importlib.import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
