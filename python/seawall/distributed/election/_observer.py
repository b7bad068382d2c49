"""Follows who leads, and says when it does not know."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from seawall.clock import Clock
from seawall.distributed.election._leaders import Leader, LeaderUnknown, NoLeader, Standing, leader_of
from seawall.engines import Deleted, Entry, KeyValue, Put, Resync, Watch
from seawall.engines.operation import driver_of
from seawall.errors import EngineError, Unavailable, UnknownOutcome


class LeaderWatch:
    """Who leads, told whenever that changes: iterate over it, with `for` or `async for`.

    Guarantees: the first thing told is what is so now. When the engine cannot be asked for a heartbeat and its
    operation timeout, `LeaderUnknown` says so, once; then what is so, once it answers again. What was between may not
    be told, but is never told wrongly. Other errors of the engine end it.

    Thread safety: one iterator at a time.
    """

    def __init__(self, key_value: KeyValue, root: str, heartbeat: float) -> None:
        self._clock: Clock = driver_of(key_value).clock
        self._watch: Watch = key_value.watch(root, heartbeat=heartbeat)
        self._entries: dict[str, Entry] = {}
        self._told: Standing | None = None
        self._known: Leader | NoLeader | None = None

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

    def poll(self) -> Standing | None:
        """The next change; None when there was none for about half a heartbeat, or it is still not known."""
        try:
            return self._apply(self._watch.poll())
        except (Unavailable, UnknownOutcome) as error:
            return self._silent(error)

    async def poll_async(self) -> Standing | None:
        """`poll` for a task."""
        try:
            return self._apply(await self._watch.poll_async())
        except (Unavailable, UnknownOutcome) as error:
            return self._silent(error)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Standing:
        while (standing := self.poll()) is None:
            pass
        return standing

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Standing:
        while (standing := await self.poll_async()) is None:
            pass
        return standing

    def close(self) -> None:
        """Stop following."""
        self._watch.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        await self._watch.close_async()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_async()
