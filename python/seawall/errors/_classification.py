"""What an error means: its kind, how severe it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Kind(Enum):
    """What sort of trouble an error is."""

    transient = "transient"
    rate_limited = "rate_limited"
    unavailable = "unavailable"
    timeout = "timeout"
    invalid = "invalid"
    denied = "denied"
    bug = "bug"
    unknown = "unknown"
    cancelled = "cancelled"
    success = "success"


class Severity(IntEnum):
    """How severe; the numbers are those of logging's levels."""

    debug = 10
    info = 20
    warning = 30
    error = 40
    critical = 50


class Advice(Enum):
    """What to do about an error."""

    retry = "retry"
    retry_later = "retry_later"
    fallback = "fallback"
    restart = "restart"
    escalate = "escalate"
    ignore = "ignore"
    fix = "fix"


@dataclass(frozen=True, slots=True)
class Classification:
    """What an error means to whoever called.

    Args:
        kind: What sort of trouble it is.
        severity: How severe.
        advice: What to do about it.
        refused: A guard of ours refused the call; the callee was never asked.
    """

    kind: Kind
    severity: Severity
    advice: Advice
    refused: bool = False

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later, and making it again does no harm by itself."""
        return self.advice in (Advice.retry, Advice.retry_later)

    @property
    def counts_as_failure(self) -> bool:
        """Whether a circuit breaker counts it against the callee.

        It does not when the callee was never asked, when it rightly refused what it was asked (invalid, denied), when
        it answered in good health that it is too early (rate_limited), and when the caller is at fault (bug).
        """
        return not self.refused and self.kind in _FAILURES


_FAILURES = frozenset({Kind.transient, Kind.unavailable, Kind.timeout, Kind.unknown})

MEANING: dict[Kind, tuple[Severity, Advice, str]] = {
    Kind.transient: (Severity.warning, Advice.retry, "chance: a lost connection, a collision, a garbled answer"),
    Kind.rate_limited: (Severity.warning, Advice.retry_later, "too many calls for now"),
    Kind.unavailable: (Severity.error, Advice.retry_later, "nobody there, or overloaded, or out of a resource"),
    Kind.timeout: (Severity.warning, Advice.retry, "no answer in time; the call may have had its effect"),
    Kind.invalid: (Severity.error, Advice.fix, "the callee understood and cannot do what was asked"),
    Kind.denied: (Severity.error, Advice.escalate, "not allowed"),
    Kind.bug: (Severity.error, Advice.fix, "the calling program is wrong"),
    Kind.unknown: (Severity.error, Advice.escalate, "nothing is known about it"),
    Kind.cancelled: (Severity.debug, Advice.ignore, "the caller gave up"),
    Kind.success: (Severity.debug, Advice.ignore, "a status that is no error"),
}


def classification(
    kind: Kind, severity: Severity | None = None, advice: Advice | None = None, *, refused: bool = False
) -> Classification:
    """A classification with what is usual for the kind where nothing else is said."""
    usual_severity, usual_advice, _ = MEANING[kind]
    return Classification(kind, severity or usual_severity, advice or usual_advice, refused)


def kinds_table() -> str:
    """A Markdown table of all kinds and what is usual for them."""
    lines = [
        "| kind | meaning | severity | advice | retryable | counts as failure |",
        "|---|---|---|---|---|---|",
    ]
    for kind, (severity, advice, meaning) in MEANING.items():
        usual = classification(kind)
        answers = ("yes" if yes else "no" for yes in (usual.is_retryable, usual.counts_as_failure))
        lines.append(f"| {' | '.join((kind.value, meaning, severity.name, advice.value, *answers))} |")
    return "\n".join(lines) + "\n"
