"""Follows who leads, and says when it does not know."""

from __future__ import annotations

from seawall.distributed.election._leaders import Leader, LeaderUnknown, NoLeader, Standing, leader_of
from seawall.engines import Deleted, Entry, Following, KeyValue, Put, Resync
from seawall.engines.operation import Op
from seawall.errors import EngineError, Unavailable, UnknownOutcome


class LeaderWatch(Following[Standing]):
    """Who leads, told whenever that changes: iterate over it, with `for` or `async for`.

    Guarantees: the first thing told is what is so now. When the engine cannot be asked for a heartbeat and its
    operation timeout, `LeaderUnknown` says so, once; then what is so, once it answers again. What was between may not
    be told, but is never told wrongly. `poll` also gives None as long as it is still not known. Other errors of the
    engine end it.

    Thread safety: one iterator at a time.
    """

    def __init__(self, key_value: KeyValue, root: str, heartbeat: float) -> None:
        self._watch = key_value.watch(root, heartbeat=heartbeat)
        super().__init__(self._watch, self._watch._longest)
        self._entries: dict[str, Entry] = {}
        self._told: Standing | None = None
        self._known: Leader | NoLeader | None = None

    def _do_step(self) -> Op[Standing | None]:
        try:
            return self._apply((yield from self._watch._do_step()))
        except (Unavailable, UnknownOutcome) as error:
            return self._silent(error)

    def _do_end(self) -> Op[None]:
        yield from self._watch._do_end()

    def _news(self) -> Standing | None:
        """What has not been told."""
        standing = leader_of(self._entries.values(), self._watch.revision)
        same = isinstance(standing, NoLeader) and isinstance(self._told, NoLeader)
        if same or standing == self._told:
            return None
        self._told = self._known = standing
        return standing

    def _apply(self, event: Put | Deleted | Resync | None) -> Standing | None:
        if isinstance(event, Resync):
            self._entries = {entry.key: entry for entry in event.entries}
        elif isinstance(event, Put):
            self._entries[event.key] = Entry(event.key, event.value, event.revision)
        elif isinstance(event, Deleted):
            self._entries.pop(event.key, None)
        # Without an event it has proved to be alive: that ends not knowing.
        return self._news()

    def _silent(self, error: EngineError) -> LeaderUnknown | None:
        if isinstance(self._told, LeaderUnknown):
            return None
        unknown = LeaderUnknown(self._known, str(error))
        self._told = unknown
        return unknown
