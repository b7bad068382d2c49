"""Follows all changes of a namespace, whatever happens, and knows what it was told."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from seawall.clock import SystemClock
from seawall.engines import Deleted, KeyValue, Resync
from seawall.errors import Unavailable


class Follower:
    """A watch in a thread of its own, from before the first change.

    Attributes:
        changes: (key, value or None, revision), as told.
        resyncs: (what was told before, where it goes on).
        silent: How often it was an error that the engine could not be heard.
        state: What there is, by what was told.
        complaints: What must not be: an event at or below the revision before it.
    """

    def __init__(self, kv: KeyValue, heartbeat: float) -> None:
        self.watch = kv.watch(after=0, heartbeat=heartbeat)
        self.changes: list[tuple[str, bytes | None, int]] = []
        self.resyncs: list[tuple[int, int]] = []
        self.silent = 0
        self.state: dict[str, bytes] = {}
        self.complaints: list[str] = []
        self.at = 0
        self._stop = threading.Event()
        self._goal: int | None = None
        self._thread = threading.Thread(target=self._follow, name="follower")

    @property
    def values(self) -> set[bytes | None]:
        """All that were told."""
        return {value for _, value, _ in self.changes}

    def skipped(self, revision: int) -> bool:
        """Whether a Resync said that changes like this one were missed."""
        return any(before < revision <= after for before, after in self.resyncs)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, revision: int) -> None:
        """Follow until that revision has been told, and stop."""
        self._goal = revision
        self._thread.join(30)
        if self._thread.is_alive():
            self._stop.set()
            self.complaints.append(f"the watch stands at {self.watch.revision} and does not come to {revision}")
            self._thread.join(30)

    def abandon(self) -> None:
        """Stop wherever it is."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    def _follow(self) -> None:
        try:
            while not self._stop.is_set() and not self._is_there():
                self._look()
        except BaseException as error:  # noqa: BLE001 - the judge's to tell
            self.complaints.append(f"the watch raised {error!r}")
        finally:
            # The engine may just have been killed; what cannot be closed is gone.
            with suppress(Unavailable):
                self.watch.close()

    def _is_there(self) -> bool:
        return self._goal is not None and self.watch.revision >= self._goal

    def _look(self) -> None:
        try:
            event: Any = self.watch.poll()
        except Unavailable:
            self.silent += 1
            SystemClock().sleep(0.005)
            return
        if event is None:
            return
        if event.revision <= self.at:
            self.complaints.append(f"told at {event.revision} after {self.at}: {event}")
        self._apply(event)
        self.at = event.revision

    def _apply(self, event: Any) -> None:
        if isinstance(event, Resync):
            self.resyncs.append((self.at, event.revision))
            self.state = {entry.key: entry.value for entry in event.entries}
        elif isinstance(event, Deleted):
            if self.state.pop(event.key, None) is None:
                self.complaints.append(f"told of the end of what was not there: {event}")
            self.changes.append((event.key, None, event.revision))
        else:
            self.state[event.key] = event.value
            self.changes.append((event.key, event.value, event.revision))
