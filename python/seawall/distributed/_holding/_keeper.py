"""Renews what is held, and tells holders what they have lost, from a thread that no event loop can hold up."""

from __future__ import annotations

import os
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from seawall.clock import Bell, Clock, ManualClock

if TYPE_CHECKING:
    from seawall.engines.operation import Driven

_LONGEST_ASLEEP_NS = 3_600_000_000_000
_LEAST_NS = 20_000_000


class Kept(Protocol):
    """What a keeper looks after."""

    @property
    def due_ns(self) -> int:
        """When it wants to be looked at: for the next sign of life, or at its end."""

    @property
    def ends_ns(self) -> int:
        """When it is lost unless it was renewed."""

    def look(self, within: float) -> None:
        """Renew, for at most `within` seconds, or find that it is lost; raises nothing."""


class _Timer(Protocol):
    def cancel(self) -> None: ...


class Keeper:
    """Looks after what is held on one engine.

    Guarantees: one thread for an engine, so that one that hangs holds up nobody else's locks. It begins with the first
    that is held, and ends when it finds, at the next moment something would have been due, that nothing is. Under a
    ManualClock there is no thread: whoever moves the clock does its work, at the time it is due.

    Thread safety: yes. A forked child keeps nothing of its parent's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._kept: dict[Kept, None] = {}
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._timer: _Timer | None = None
        self._wakes_ns = 0

    def add(self, kept: Kept) -> None:
        """Look after it from now on."""
        if self._pid != os.getpid():
            self._begin()
        due = kept.due_ns
        with self._lock:
            self._kept[kept] = None
            if isinstance(self._clock, ManualClock):
                self._arm(self._clock, due)
            elif self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="seawall-keeper", daemon=True)
                self._wakes_ns = due
                self._thread.start()
            elif due < self._wakes_ns:
                self._bell.ring()

    def discard(self, kept: Kept) -> None:
        """Look after it no longer."""
        if self._pid == os.getpid():
            with self._lock:
                self._kept.pop(kept, None)

    def _serve(self) -> None:
        while (until := self._next()) is not None:
            self._clock.park(self._bell, until)
            self._look()

    def _next(self) -> int | None:
        """Until when to sleep; None when nothing is held: the thread ends."""
        with self._lock:
            if not self._kept:
                self._thread = None
                return None
            due = min(kept.due_ns for kept in self._kept)
            self._wakes_ns = min(due, self._clock.now_ns() + _LONGEST_ASLEEP_NS)
            return self._wakes_ns

    def _look(self) -> None:
        while True:
            with self._lock:
                kept, now = list(self._kept), self._clock.now_ns()
            due = sorted((one for one in kept if one.due_ns <= now), key=lambda one: one.ends_ns)
            if not due:
                return
            # While one is renewed, no other's end may pass unseen.
            first_end = min(one.ends_ns for one in kept if one.ends_ns > now or one in due)
            due[0].look(max(_LEAST_NS, first_end - now) / 1e9)

    def _arm(self, clock: ManualClock, due: int) -> None:
        if self._timer is not None and self._wakes_ns <= due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_ns = due
        self._timer = clock.call_when(due, self._turn)

    def _turn(self) -> None:
        # The Deadline of whoever moves the clock is none of a keeper's business.
        Context().run(self._look)
        with self._lock:
            self._timer = None
            if self._kept and isinstance(self._clock, ManualClock):
                self._arm(self._clock, min(kept.due_ns for kept in self._kept))


class _Keepers:
    """The keepers of this process, by their engines."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[object, Keeper] = WeakKeyDictionary()
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Nobody is looking: in a forked child whoever did is not there."""
        self._looking = threading.Lock()

    def of(self, driven: Driven) -> Keeper:
        """The one of an engine."""
        driver = driven._driver
        with self._looking:
            keeper = self._known.get(driver)
            if keeper is None:
                keeper = self._known[driver] = Keeper(driver.clock)
            return keeper


_keepers = _Keepers()


def keeper_of(driven: Driven) -> Keeper:
    """The keeper of an engine."""
    return _keepers.of(driven)
