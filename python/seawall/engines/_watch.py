"""Following changes: list, follow, prove life, resume, resync. Written once, for every engine."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from seawall.engines._following import Following
from seawall.engines._ports._changes import Event, Feed, Resync
from seawall.engines.operation import Op, Wait, bounded, driver_of
from seawall.errors import Compacted, ConfigError, EngineError, Unavailable, UnknownOutcome

if TYPE_CHECKING:
    from seawall.engines._ports._key_value import KeyValue

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_MOST_LISTED = 1_000_000


class Watch(Following[Event]):
    """Changes below a prefix, as they come: iterate over it, with `for` or `async for`.

    Guarantees: see `KeyValue.watch`; when `poll` gives None, the engine has proved to be alive. After an error the
    watch stands where it stood: going on iterating resumes it.

    Thread safety: one iterator at a time.

    Attributes:
        revision: Everything up to here has been told.
    """

    def __init__(self, port: KeyValue, prefix: str, after: int | None, heartbeat: float) -> None:
        super().__init__(port, heartbeat + driver_of(port).options.timeout)
        self._port = port
        self._heartbeat = heartbeat
        self._feed = Feed(prefix, 0 if after is None else after)
        self._events: deque[Event] = deque()
        self._must_list: str | None = "the watch begins" if after is None else None
        self.revision = self._feed.after
        self._closed = False

    def _do_step(self) -> Op[Event | None]:
        """The next event, or None when the engine has proved to be alive without any."""
        if self._closed:
            raise ConfigError("this watch is closed; make another one from its revision")
        if not self._events:
            yield from self._fill()
        if not self._events:
            self.revision = self._feed.after
            return None
        event = self._events.popleft()
        self.revision = event.revision if self._events else self._feed.after
        return event

    def _fill(self) -> Op[None]:
        """Ask until an answer comes, for at most one operation timeout beyond the heartbeat."""
        clock, pause, within = self._driver.clock, _FIRST_PAUSE, self._heartbeat
        until_ns = clock.now_ns() + round(self._longest * 1e9)
        while True:
            try:
                yield from self._ask(within)
            except (Unavailable, UnknownOutcome) as error:
                yield from self._port._unfollow(self._feed)
                if clock.now_ns() + pause * 1e9 >= until_ns:
                    raise self._silent(error) from error
                yield Wait(pause)
                # The line may be slow rather than cut: where connecting takes longer than a heartbeat, none would do.
                pause, within = min(2 * pause, _LONGEST_PAUSE), 2 * within
            else:
                return

    def _ask(self, within: float) -> Op[None]:
        if self._must_list is None:
            try:
                yield from self._follow(within)
            except Compacted as error:
                yield from self._port._unfollow(self._feed)
                self._must_list = f"changes after revision {self._feed.after} are no longer kept: {error}"
            except EngineError:
                yield from self._port._unfollow(self._feed)
                raise
            else:
                return
        listing = yield from self._port._do_list(self._feed.prefix, limit=_MOST_LISTED)
        self._events.append(Resync(listing.entries, listing.revision, self._must_list))
        self._feed.after, self._must_list = listing.revision, None

    def _follow(self, within: float) -> Op[None]:
        batch = yield from bounded(self._port._changes(self._feed, self._heartbeat / 2), within)
        after = self._feed.after
        for change in batch.changes:
            # A server that begins again a little earlier repeats what was told.
            if change.revision > after:
                self._events.append(change)
                after = change.revision
        self._feed.after = max(after, batch.revision)

    def _silent(self, error: EngineError) -> Unavailable:
        driver = self._driver
        return Unavailable(
            f"the watch of {self._feed.prefix!r} has heard nothing from {driver.name} for {self._heartbeat:g} s and "
            f"could not resume within {driver.options.timeout:g} s ({error}); iterate again to resume after revision "
            f"{self.revision}"
        )

    def _do_end(self) -> Op[None]:
        self._closed = True
        self._events.clear()
        yield from self._port._unfollow(self._feed)
