"""What a run under way is noted with."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from seawall.measure.load._parts import Note
from seawall.measure.load._record import Record, Totals


class Noting(ABC):
    """A run that can be noted in, whoever makes its calls."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self.notes: list[Note] = []
        self._notes_lock = threading.Lock()

    @property
    @abstractmethod
    def elapsed(self) -> float:
        """Seconds since the start."""

    def note(self, name: str, kind: Literal["checkpoint", "event"], text: str) -> None:
        """Note something that happens now. Thread safety: any thread."""
        totals = Totals.of([record.totals() for record in self.records])
        with self._notes_lock:
            self.notes.append(
                Note(self.elapsed, name, kind, text, totals.sent, totals.completed, totals.succeeded, totals.bytes)
            )
