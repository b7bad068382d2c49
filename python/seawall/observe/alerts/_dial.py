"""What time it is in a recording."""

from __future__ import annotations

from typing import Any

from seawall.clock import Clock
from seawall.observe._snapshot import Snapshot


class Dial:
    """Reads the time of a recording, whose stamps do not follow a wall clock that is set.

    Without it, a wall clock that is set forward makes everything recorded look old, and one set back makes it look as
    if it had not happened yet. Not thread safe.
    """

    def __init__(self, clock: Clock, wall: Any) -> None:
        self._clock, self._wall = clock, wall
        self._seen: Snapshot | None = None
        self._seen_ns = 0
        self._age = 0.0

    def now(self, latest: Snapshot | None) -> float:
        """The time of the latest snapshot, and what has passed since it was first seen."""
        now_ns, wall = self._clock.now_ns(), float(self._wall.now_ns() / 1e9)
        if latest is None:
            return wall
        if latest is not self._seen:
            self._age = max(0.0, wall - latest.at) if self._seen is None else 0.0
            self._seen, self._seen_ns = latest, now_ns
        return latest.at + self._age + max(0, now_ns - self._seen_ns) / 1e9
