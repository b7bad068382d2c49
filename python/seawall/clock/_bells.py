"""What a waiter sleeps on: rung by another thread or loop, or by the clock."""

from __future__ import annotations

import asyncio
import threading


class Bell(threading.Event):
    """Wakes a sleeping thread. Thread safe."""

    ring = threading.Event.set


class AsyncBell:
    """Wakes a sleeping task; may be rung from any thread. Belongs to the loop it was made in."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop whose task sleeps."""
        return self._loop

    def ring(self) -> None:
        """Wake the sleeper, now or when it next sleeps."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ring_here)

    def ring_here(self) -> None:
        """`ring` for callers inside the loop."""
        if not self._future.done():
            self._future.set_result(None)

    async def rung(self) -> None:
        """Sleep until rung, once."""
        await self._future
        self._future = self._loop.create_future()
