"""What a run under way is noted with."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from seawall.measure.load._record import Record, Totals
from seawall.measure.load.result._parts import Note

# A guard that refuses every call would otherwise fill the memory with notes; what is more is counted only.
MOST_NOTES = 1000


class Noting(ABC):
    """A run that can be noted in, whoever makes its calls."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self.notes: list[Note] = []
        self.notes_left_out = 0
        self._notes_lock = threading.Lock()

    @property
    @abstractmethod
    def elapsed(self) -> float:
        """Seconds since the start."""

    def note(self, name: str, kind: Literal["checkpoint", "event"], text: str) -> None:
        """Note something that happens now. Thread safety: any thread."""
        with self._notes_lock:
            if len(self.notes) >= MOST_NOTES:
                self.notes_left_out += 1
                return
        totals = Totals.of([record.totals() for record in self.records])
        with self._notes_lock:
            self.notes.append(
                Note(self.elapsed, name, kind, text, totals.sent, totals.completed, totals.succeeded, totals.bytes)
            )

    def all_notes(self, took: float) -> list[Note]:
        """What was noted in a run that took so long, and how much more there was than is kept."""
        if not self.notes_left_out:
            return self.notes
        return [*self.notes, Note(took, "notes left out", "event", f"{self.notes_left_out:,} more than are kept")]
