"""How the demo's services tell what happens in them: JSON objects, one a line."""

from __future__ import annotations

import json
from collections.abc import Callable

from seawall.clock import Clock, SystemClock

_HUSH_NS = 250_000_000


class Teller:
    """Tells events by name; one that comes again and again is told at once, then four times a second with a count.

    Args:
        write: Takes a line; by default standard output does.
        clock: Where time comes from.
    """

    def __init__(self, write: Callable[[str], object] | None = None, clock: Clock | None = None) -> None:
        self._write, self._clock = write or _to_parent, clock or SystemClock()
        self._said: dict[str, int] = {}
        self._unsaid: dict[str, int] = {}

    def event(self, name: str, text: str = "") -> None:
        """Something happened that is worth a line of its own."""
        self._write(json.dumps({"event": name, "text": text}))

    def often(self, name: str, text: str = "") -> None:
        """Something happened that may happen a thousand times."""
        now, unsaid = self._clock.now_ns(), self._unsaid.get(name, 0)
        if name in self._said and now - self._said[name] < _HUSH_NS:
            self._unsaid[name] = unsaid + 1
            return
        self._said[name], self._unsaid[name] = now, 0
        more = f"{unsaid:,} more since the last line" if unsaid else ""
        self.event(name, "; ".join(part for part in (text, more) if part))


def _to_parent(line: str) -> None:
    print(line, flush=True)
