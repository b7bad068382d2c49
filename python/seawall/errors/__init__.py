"""Errors: one hierarchy, and what to make of any error: classification, context, journal, recovery, problem+json.

The hierarchy is loaded with the room, everything else when it is first used: the compiled modules raise these errors,
and a limit should not load a journal.
"""

import importlib
from typing import TYPE_CHECKING, Any

from seawall._errors import (
    AuthFailed,
    BulkheadFull,
    CauseStandIn,
    CircuitOpen,
    ClockDrift,
    Compacted,
    ConfigError,
    Conflict,
    Damaged,
    DeadlineExceeded,
    EngineError,
    Full,
    LeaseLost,
    LockLost,
    OutOfOrder,
    RateLimited,
    ReadOnly,
    Rejected,
    RetryBudgetExhausted,
    SeawallError,
    SegmentError,
    Shed,
    ShuttingDown,
    StepRefused,
    Throttled,
    TimeoutExceeded,
    TransactionAborted,
    TransactionBusy,
    TransactionError,
    TransactionExists,
    TransactionInDoubt,
    TransactionUnknown,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)

if TYPE_CHECKING:
    from seawall.errors import recovery
    from seawall.errors._cancellation import is_cancellation
    from seawall.errors._classification import Advice, Classification, Kind, Severity, kinds_table
    from seawall.errors._classifier import Classifier
    from seawall.errors._context import ErrorContext, attach, context_of, current_context, error_context
    from seawall.errors._default import classify, default_classifier
    from seawall.errors._fingerprint import Fingerprint, fingerprints
    from seawall.errors._journal import ErrorJournal
    from seawall.errors._journal_records import ErrorRecord, JournalEntry, JournalOptions, JournalSnapshot
    from seawall.errors._problem import problem, problem_headers
    from seawall.errors._retry_after import retry_after_of

_LAZY = {
    "_cancellation": ("is_cancellation",),
    "_classification": ("Advice", "Classification", "Kind", "Severity", "kinds_table"),
    "_classifier": ("Classifier",),
    "_context": ("ErrorContext", "attach", "context_of", "current_context", "error_context"),
    "_default": ("classify", "default_classifier"),
    "_fingerprint": ("Fingerprint", "fingerprints"),
    "_journal": ("ErrorJournal",),
    "_journal_records": ("ErrorRecord", "JournalEntry", "JournalOptions", "JournalSnapshot"),
    "_problem": ("problem", "problem_headers"),
    "_retry_after": ("retry_after_of",),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "Advice",
    "AuthFailed",
    "BulkheadFull",
    "CauseStandIn",
    "CircuitOpen",
    "Classification",
    "Classifier",
    "ClockDrift",
    "Compacted",
    "ConfigError",
    "Conflict",
    "Damaged",
    "DeadlineExceeded",
    "EngineError",
    "ErrorContext",
    "ErrorJournal",
    "ErrorRecord",
    "Fingerprint",
    "Full",
    "JournalEntry",
    "JournalOptions",
    "JournalSnapshot",
    "Kind",
    "LeaseLost",
    "LockLost",
    "OutOfOrder",
    "RateLimited",
    "ReadOnly",
    "Rejected",
    "RetryBudgetExhausted",
    "SeawallError",
    "SegmentError",
    "Severity",
    "Shed",
    "ShuttingDown",
    "StepRefused",
    "Throttled",
    "TimeoutExceeded",
    "TransactionAborted",
    "TransactionBusy",
    "TransactionError",
    "TransactionExists",
    "TransactionInDoubt",
    "TransactionUnknown",
    "Unavailable",
    "UnknownOutcome",
    "WrongVersion",
    "attach",
    "classify",
    "context_of",
    "current_context",
    "default_classifier",
    "error_context",
    "fingerprints",
    "is_cancellation",
    "kinds_table",
    "problem",
    "problem_headers",
    "recovery",
    "retry_after_of",
]


def __getattr__(name: str) -> Any:
    if name == "recovery":
        return importlib.import_module("seawall.errors.recovery")
    if name not in _HOME:
        raise AttributeError(f"module 'seawall.errors' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"seawall.errors.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
