"""The bare error classes, below every other room; the public path is seawall.errors."""

from seawall._errors._hierarchy import (
    BulkheadFull,
    CircuitOpen,
    ClockDrift,
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
from seawall._errors._pickling import CauseStandIn, carried

__all__ = [
    "BulkheadFull",
    "CauseStandIn",
    "CircuitOpen",
    "ClockDrift",
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
    "carried",
]
