"""Wakes all who wait for something to change, threads and tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seawall.clock import AsyncBell, Bell, Clock

# Python runs signal handlers in the main thread only, and only when it runs: a signal that another thread was given, or
# that comes just before the main thread falls asleep, wakes nobody. So whoever waits turns over now and then.
_LOOK = 0.5
_LOOK_NS = 500_000_000


class Gong:
    """Whoever changes something strikes it; whoever waits looks again.

    Thread safety: yes; not for signal handlers, which may interrupt a thread that holds its lock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bells: dict[Bell | AsyncBell, None] = {}

    def strike(self) -> None:
        """Everybody looks again."""
        with self._lock:
            bells = tuple(self._bells)
        for bell in bells:
            bell.ring()

    def wait(self, until_ns: int | None, over: Callable[[], bool]) -> bool:
        """Wait until `over()`, or until a time; whether it is over."""
        bell = Bell()
        self._add(bell)
        try:
            while not over():
                if until_ns is None:
                    bell.wait(_LOOK)
                    bell.clear()
                elif (now := self._clock.now_ns()) >= until_ns:
                    return False
                else:
                    self._clock.park(bell, min(until_ns, now + _LOOK_NS))
        finally:
            self._remove(bell)
        return True

    async def wait_async(self, until_ns: int | None, over: Callable[[], bool]) -> bool:
        """`wait` for a task."""
        bell = AsyncBell()
        self._add(bell)
        try:
            while not over():
                if until_ns is None:
                    timer = bell.loop.call_later(_LOOK, bell.ring_here)
                    await bell.rung()
                    timer.cancel()
                elif (now := self._clock.now_ns()) >= until_ns:
                    return False
                else:
                    await self._clock.park_async(bell, min(until_ns, now + _LOOK_NS))
        finally:
            self._remove(bell)
        return True

    def _add(self, bell: Bell | AsyncBell) -> None:
        with self._lock:
            self._bells[bell] = None

    def _remove(self, bell: Bell | AsyncBell) -> None:
        with self._lock:
            del self._bells[bell]
