"""What a clock is, and the machine's."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from seawall._core import clock as _core
from seawall.clock._bells import AsyncBell, Bell
from seawall.clock._durations import to_ns


class Clock(_core.Clock):
    """What every seawall object takes as `clock=`: `SystemClock()` or a `ManualClock`."""

    __slots__ = ()

    def sleep(self, seconds: float | timedelta) -> None:
        """Sleep a thread for `seconds`."""
        until = self.now_ns() + to_ns(seconds, "seconds", least_ns=0)
        bell = Bell()
        while self.now_ns() < until:
            self.park(bell, until)

    async def sleep_async(self, seconds: float | timedelta) -> None:
        """Sleep a task for `seconds`."""
        until = self.now_ns() + to_ns(seconds, "seconds", least_ns=0)
        bell = AsyncBell()
        while self.now_ns() < until:
            await self.park_async(bell, until)

    def park(self, bell: Bell, until_ns: int) -> None:
        """Sleep until the bell rings or `until_ns` has come; may return early."""
        raise NotImplementedError(f"{type(self).__name__} must say how to wait; use SystemClock or ManualClock")

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """`park` for a task."""
        raise NotImplementedError(f"{type(self).__name__} must say how to wait; use SystemClock or ManualClock")


class SystemClock(Clock):
    """The machine's monotonic clock, the same for all its processes."""

    __slots__ = ()

    def park(self, bell: Bell, until_ns: int) -> None:
        """Sleep until the bell rings or the time has come."""
        bell.wait(min((until_ns - self.now_ns()) / 1e9, threading.TIMEOUT_MAX))
        bell.clear()

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """Sleep a task until the bell rings or the time has come."""
        timer = bell.loop.call_later((until_ns - self.now_ns()) / 1e9, bell.ring_here)
        try:
            await bell.rung()
        finally:
            timer.cancel()

    def __repr__(self) -> str:
        return "SystemClock()"

    def __reduce__(self) -> tuple[Any, ...]:
        return SystemClock, ()
