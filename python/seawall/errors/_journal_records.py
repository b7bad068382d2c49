"""What a journal takes and what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from seawall.errors._classification import Classification
from seawall.errors._context import ErrorContext
from seawall.errors._fingerprint import Fingerprint
from seawall.patterns import Options, option


class NowNs(Protocol):
    """What a journal needs of a clock."""

    def now_ns(self) -> int:
        """Time in nanoseconds from a fixed start."""


class JournalOptions(Options):
    """Settings of an ErrorJournal."""

    max_fingerprints: int = option(
        default=1000, unit="fingerprints", least=1, most=1_000_000, help="how many are told apart; more are 'other'"
    )
    max_recent: int = option(default=100, unit="errors", least=0, most=1_000_000, help="how many last ones are kept")
    short_window: float = option(default=60.0, unit="s", least=0.001, most=86_400.0, help="window of the fast rate")
    long_window: float = option(default=3600.0, unit="s", least=0.001, most=2_592_000.0, help="window of the slow rate")
    max_message: int = option(
        default=500, unit="characters", least=1, most=100_000, help="longest message kept of an error"
    )

    def check(self) -> Iterable[str]:
        """The windows must differ in the sense of their names."""
        if self.short_window >= self.long_window:
            yield (
                f"short_window must be shorter than long_window, got {self.short_window:g} s and "
                f"{self.long_window:g} s; raise the long one"
            )


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error as a journal keeps it: text, no frames and no objects of the error.

    Args:
        fingerprint: Which error it is.
        type_name: Module and name of its type.
        message: What it said, cut to `max_message`.
        classification: What it means.
        context: What was being done.
        at_ns: When, by the journal's clock.
        wall: When, for people; Unix time, or None without a wall clock.
    """

    fingerprint: Fingerprint
    type_name: str
    message: str
    classification: Classification
    context: ErrorContext | None
    at_ns: int
    wall: float | None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """All errors of one fingerprint.

    Args:
        fingerprint: Which error.
        count: How often it happened.
        first_ns: When first.
        last: The last one.
        short_rate: How often a second, over the short window.
        long_rate: How often a second, over the long window.
    """

    fingerprint: Fingerprint
    count: int
    first_ns: int
    last: ErrorRecord
    short_rate: float
    long_rate: float


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """A journal at one moment.

    Args:
        total: Errors recorded.
        other: Those among them that found no room for a fingerprint of their own.
        entries: By fingerprint, the most frequent first; 'other' among them when it has any.
        recent: The last errors, the latest first.
        by_kind: Counts by `Kind` name.
    """

    total: int
    other: int
    entries: tuple[JournalEntry, ...]
    recent: tuple[ErrorRecord, ...]
    by_kind: Mapping[str, int]
