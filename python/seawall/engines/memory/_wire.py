"""Runs what operations send under one lock, and lets watches sleep until something changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from seawall.clock import AsyncBell, Bell, Clock
from seawall.errors import ConfigError


class Rung(Protocol):
    """What both bells are to whoever rings them."""

    def ring(self) -> None:
        """Wake the sleeper."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Ask until there is an answer or the time is over.

    Args:
        ask: now_ns -> the answer; empty ones are falsy in `has_news`.
        has_news: Whether an answer is worth waking for.
        next_due: When, in nanoseconds, something changes by itself; None for never.
        wait: How long to wait, in seconds.
    """

    ask: Callable[[int], Any]
    has_news: Callable[[Any], bool]
    next_due: Callable[[], int | None]
    wait: float


class Hub:
    """The lock around a store, and the bells of those who wait for changes of it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.bells: set[Rung] = set()

    def changed(self) -> None:
        """Wake all who wait; called under the lock."""
        for bell in self.bells:
            bell.ring()


class MemoryWire:
    """One engine's way to a store that others may share.

    Thread safety: yes. The lock is held for one step and never over a wait.
    """

    def __init__(self, hub: Hub, clock: Clock, name: str) -> None:
        self._hub = hub
        self._clock = clock
        self._name = name
        self._closed = False

    def execute(self, what: Any, timeout: float) -> Any:
        """Run one step, or sleep until there is news."""
        del timeout
        if not isinstance(what, Follow):
            return self._step(what)
        bell, until = Bell(), self._until(what)
        try:
            while (due := self._look(what, bell, until)) is not None:
                self._clock.park(bell, due)
        finally:
            self._leave(bell)
        return self._step(what.ask)

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """`execute` for a task."""
        del timeout
        if not isinstance(what, Follow):
            return self._step(what)
        bell, until = AsyncBell(), self._until(what)
        try:
            while (due := self._look(what, bell, until)) is not None:
                await self._clock.park_async(bell, due)
        finally:
            self._leave(bell)
        return self._step(what.ask)

    def _step(self, step: Callable[[int], Any]) -> Any:
        with self._hub.lock:
            return step(self._clock.now_ns())

    def _until(self, what: Follow) -> int:
        return self._clock.now_ns() + round(what.wait * 1e9)

    def _look(self, what: Follow, bell: Rung, until: int) -> int | None:
        """Until when to sleep; None when there is news or the time is over."""
        with self._hub.lock:
            now = self._clock.now_ns()
            if self._closed:
                raise ConfigError(f"{self._name} is closed; open another engine")
            if now >= until or what.has_news(what.ask(now)):
                return None
            self._hub.bells.add(bell)
            due = what.next_due()
            return until if due is None else min(until, due)

    def _leave(self, bell: Rung) -> None:
        with self._hub.lock:
            self._hub.bells.discard(bell)

    def close(self) -> None:
        """Wake all who wait; those of this engine find it closed."""
        with self._hub.lock:
            self._closed = True
            self._hub.changed()

    async def close_async(self) -> None:
        """`close` for a task."""
        self.close()
