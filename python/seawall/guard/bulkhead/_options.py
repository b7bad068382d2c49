"""Options of bulkheads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from seawall.patterns import Options, option

MOST = 1 << 30


class BulkheadOptions(Options):
    """What bounds a Bulkhead."""

    max_concurrent: int = option(least=1, most=MOST, help="calls in flight at once")
    max_queue: int = option(default=0, least=0, most=MOST, help="calls that wait for a place, first come first served")
    max_wait: float | timedelta | None = option(
        default=None,
        unit="s",
        above=0,
        most=31_536_000,
        help="longest wait in line; None: as long as the Deadline lets",
    )

    def check(self) -> Iterable[str]:
        """A wait needs a line to wait in."""
        if self.max_wait is not None and self.max_queue == 0:
            yield f"max_wait={self.max_wait!r} has no effect without a line; give max_queue="


class ThreadBulkheadOptions(Options):
    """What bounds a ThreadBulkhead."""

    max_threads: int = option(least=1, most=10_000, help="threads, and calls in flight at once")
    max_queue: int = option(default=0, least=0, most=MOST, help="calls that wait for a thread, first come first served")
    max_wait: float | timedelta | None = option(
        default=None,
        unit="s",
        above=0,
        most=31_536_000,
        help="longest wait in line; None: as long as the Deadline lets",
    )

    def check(self) -> Iterable[str]:
        """A wait needs a line to wait in."""
        if self.max_wait is not None and self.max_queue == 0:
            yield f"max_wait={self.max_wait!r} has no effect without a line; give max_queue="
