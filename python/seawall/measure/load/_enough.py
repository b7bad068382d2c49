"""Whether a run under way should end early."""

from __future__ import annotations

from collections.abc import Callable

from seawall.measure.load._lost import SoFar, first_lost
from seawall.measure.load._record import Record, Totals, together
from seawall.measure.load._settings import Settings

# Looking for what cannot be kept any more reads whole histograms, so not at every turn.
_LOOK_EVERY = 0.25


class Decision:
    """Whether there was enough of a run. One for all its processes: two that look at different moments may disagree.

    Args:
        settings: What is done.
        records: Where it is counted.
        elapsed: Seconds since the start.
    """

    def __init__(self, settings: Settings, records: list[Record], elapsed: Callable[[], float]) -> None:
        self.lost: str | None = None
        self._settings, self._records, self._elapsed = settings, records, elapsed
        self._reached = [False] * len(records)
        self._next_look = 0.0

    def enough(self, i: int) -> bool:
        """Whether scenario `i` should end: its target is plainly not there, or a threshold is lost for good."""
        if not self._reached[i]:
            record = self._records[i]
            if record.hopeless:
                return True
            self._reached[i] = record.reached
        return self._settings.abort and self._look() is not None

    def _look(self) -> str | None:
        if self.lost is None:
            totals = Totals.of([record.totals() for record in self._records])
            times, elapsed = None, self._elapsed()
            if elapsed >= self._next_look:
                self._next_look = elapsed + _LOOK_EVERY
                times = together(record.response_time() for record in self._records)
            so_far = SoFar(totals.completed - totals.succeeded, totals.late, totals.slowest, times)
            self.lost = first_lost(self._settings.thresholds, so_far, self._settings.most)
        return self.lost
