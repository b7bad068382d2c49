"""What can only be told by whoever looks all the time: pauses of garbage collection, and the lag of event loops."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

from seawall.clock import Clock
from seawall.monitor.resources._reading import GcUse, LoopUse


class GcWatch:
    """Measures every collection while it is on, through gc.callbacks.

    Thread safety: collections do not nest, and Python runs one at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: int | None = None
        self._pauses = 0
        self._paused = 0
        self._longest = 0

    def start(self) -> None:
        """Watch; a second time does nothing."""
        if self._on_collection not in gc.callbacks:
            gc.callbacks.append(self._on_collection)

    def stop(self) -> None:
        """Watch no longer."""
        if self._on_collection in gc.callbacks:
            gc.callbacks.remove(self._on_collection)
        self._began = None

    def use(self) -> GcUse:
        """What there was so far, and the longest pause since this was last asked."""
        longest, self._longest = self._longest, 0
        stats = gc.get_stats()
        return GcUse(
            tuple(each["collections"] for each in stats),
            sum(each["collected"] for each in stats),
            sum(each["uncollectable"] for each in stats),
            self._pauses,
            self._paused / 1e9,
            longest / 1e9,
        )

    def _on_collection(self, phase: str, info: dict[str, Any]) -> None:
        del info
        if phase == "start":
            self._began = self._clock.now_ns()
        elif self._began is not None:
            took = max(0, self._clock.now_ns() - self._began)
            self._began = None
            self._pauses += 1
            self._paused += took
            self._longest = max(self._longest, took)


class LoopWatch:
    """A timer in an event loop that looks how late it is.

    Thread safety: made in the loop, asked from anywhere.

    Args:
        loop: The loop.
        name: What readings call it.
        every_ns: Between ticks.
        clock: What measures it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, every_ns: int, clock: Clock) -> None:
        self.loop = loop
        self.name = name
        self._every_ns = every_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._last = self._worst = self._ticks = self._total = 0
        self._stopped = False
        self._due = clock.now_ns() + every_ns
        self._timer = clock.call_at(self._due, self._tick, loop)

    @property
    def over(self) -> bool:
        """Whether it ticks no more."""
        return self._stopped or self.loop.is_closed()

    def stop(self) -> None:
        """Tick no more; from any thread."""
        self._stopped = True
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._timer.cancel)

    def use(self) -> LoopUse:
        """What there was so far, and the worst since this was last asked."""
        now = self._clock.now_ns()
        with self._lock:
            worst, self._worst = max(self._worst, now - self._due), 0
            return LoopUse(self.name, self._last / 1e9, max(0, worst) / 1e9, self._ticks, self._total / 1e9)

    def _tick(self) -> None:
        now = self._clock.now_ns()
        with self._lock:
            late = max(0, now - self._due)
            self._last = late
            self._worst = max(self._worst, late)
            self._ticks += 1
            self._total += late
            self._due = now + self._every_ns
        if not self._stopped:
            self._timer = self._clock.call_at(self._due, self._tick, self.loop)
