"""seawall: guards that cost nanoseconds, measurements that do not lie.

Every public name is importable from here and loaded when it is first used; importing seawall starts nothing.

====================  ==========================================================================================
seawall.guard         limits, breaker, retry, timeout, bulkhead, fallback and the pipeline that composes them
seawall.measure       counters, histograms, the load generator
seawall.clock         clocks and deadlines
seawall.memory        segments that all workers of a machine share
seawall.errors        one hierarchy of errors, and what to make of any error
seawall.patterns      signals, registries, strategies, options and adapters that the house itself is built with
seawall.testing       what you test your own guards with: clocks that jump, recorded decisions, fixtures
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
        "Throttled",
        "TimeoutExceeded",
    ),
    "seawall.guard.adaptive": ("AIMD", "AdaptiveLimit", "Gradient", "Vegas"),
    "seawall.guard.bulkhead": ("Bulkhead", "ThreadBulkhead"),
    "seawall.guard.fallback": ("Fallback", "fallback_used"),
    "seawall.guard.breaker": ("Calls", "CircuitBreaker", "Ramp", "Seconds"),
    "seawall.guard.hedge": ("Hedge", "Quantile"),
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
    "seawall.guard.pipeline": ("Pipeline",),
    "seawall.guard.retry": ("Decorrelated", "Exponential", "Fibonacci", "Retry", "RetryBudget"),
    "seawall.guard.throttle": ("Criticality", "Throttle"),
    "seawall.guard.timeout": ("Timeout",),
    "seawall.measure": (
        "Constant",
        "Counter",
        "Gauge",
        "Histogram",
        "LatencyAnalyzer",
        "Linear",
        "LoadResult",
        "LoadTest",
        "Replay",
        "Sine",
        "Spike",
        "Stages",
        "Step",
        "ThroughputMeter",
    ),
    "seawall.memory": ("Segment",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names} | {"presets": "seawall.guard.presets"}

__version__ = "0.1.0"
__all__ = [
    "AIMD",
    "AdaptiveLimit",
    "AllOf",
    "Bulkhead",
    "BulkheadFull",
    "Calls",
    "CircuitBreaker",
    "CircuitOpen",
    "ConfigError",
    "Constant",
    "Counter",
    "Criticality",
    "Deadline",
    "DeadlineExceeded",
    "Decision",
    "Decorrelated",
    "EngineError",
    "Exponential",
    "Fallback",
    "Fibonacci",
    "FixedWindow",
    "Gauge",
    "Gradient",
    "Hedge",
    "Histogram",
    "LatencyAnalyzer",
    "LeakyBucket",
    "Linear",
    "LoadResult",
    "LoadTest",
    "ManualClock",
    "Permit",
    "Pipeline",
    "Quantile",
    "Quota",
    "Ramp",
    "RateLimited",
    "Rejected",
    "Replay",
    "Retry",
    "RetryBudget",
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
    "Stages",
    "Step",
    "SystemClock",
    "ThreadBulkhead",
    "Throttle",
    "Throttled",
    "ThroughputMeter",
    "Timeout",
    "TimeoutExceeded",
    "TokenBucket",
    "Vegas",
    "fallback_used",
    "presets",
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
        Throttled,
        TimeoutExceeded,
    )
    from seawall.guard import presets
    from seawall.guard.adaptive import AIMD, AdaptiveLimit, Gradient, Vegas
    from seawall.guard.breaker import Calls, CircuitBreaker, Ramp, Seconds
    from seawall.guard.bulkhead import Bulkhead, ThreadBulkhead
    from seawall.guard.fallback import Fallback, fallback_used
    from seawall.guard.hedge import Hedge, Quantile
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
    from seawall.guard.pipeline import Pipeline
    from seawall.guard.retry import Decorrelated, Exponential, Fibonacci, Retry, RetryBudget
    from seawall.guard.throttle import Criticality, Throttle
    from seawall.guard.timeout import Timeout
    from seawall.measure import (
        Constant,
        Counter,
        Gauge,
        Histogram,
        LatencyAnalyzer,
        Linear,
        LoadResult,
        LoadTest,
        Replay,
        Sine,
        Spike,
        Stages,
        Step,
        ThroughputMeter,
    )
    from seawall.memory import Segment


def __getattr__(name: str) -> Any:
    room = _HOME.get(name)
    if room is None:
        raise AttributeError(f"module 'seawall' has no attribute {name!r}")
    value = importlib.import_module(room)
    value = value if name == "presets" else getattr(value, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
