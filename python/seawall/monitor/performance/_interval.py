"""What an operation did in an interval."""

from __future__ import annotations

from typing import NamedTuple

from seawall.measure import Histogram

LEVELS = (50.0, 95.0, 99.0)


class Interval(NamedTuple):
    """What an operation did in an interval.

    Attributes:
        at: Its end, in unix seconds.
        seconds: Its length.
        calls: That ended in it.
        errors: Those of them that failed.
        p50: Of the times of those that succeeded, in seconds; None where none did. The others likewise.
    """

    at: float
    seconds: float
    calls: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def error_ratio(self) -> float | None:
        """Failed calls to all; None where there were none."""
        return self.errors / self.calls if self.calls else None

    @classmethod
    def of(cls, at: float, seconds: float, taken: Histogram, errors: int) -> Interval:
        """From what was recorded in it."""
        levels = [float(each) for each in taken.percentiles(LEVELS)] if taken.count else [None] * len(LEVELS)
        return cls(at, seconds, taken.count + errors, errors, *levels)
