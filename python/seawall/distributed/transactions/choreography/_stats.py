"""What a relay or participant has done."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryStats:
    """Counts of one object in one process.

    Attributes:
        done: Events that were handled or published.
        duplicates: Events that came again and were known.
        failed: Attempts that failed.
        given_up: Events parked, or answered with a failure event.
        late: Events that another worker may have had meanwhile, because this one took too long.
        troubles: Times the engine or the database could not be used.
    """

    done: int = 0
    duplicates: int = 0
    failed: int = 0
    given_up: int = 0
    late: int = 0
    troubles: int = 0


class Counts:
    """Counts by name.

    Thread safety: yes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(DeliveryStats.__dataclass_fields__, 0)

    def add(self, name: str) -> None:
        """One more."""
        with self._lock:
            self._counts[name] += 1

    def snapshot(self) -> DeliveryStats:
        """As it is now."""
        with self._lock:
            return DeliveryStats(**self._counts)
