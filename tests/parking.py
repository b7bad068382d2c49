"""Threads that wait on a clock a test moves, without a race between going to sleep and being woken."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

from seawall.clock import Bell, ManualClock

PATIENCE = 60


class ParkingClock(ManualClock):
    """A ManualClock that says when a thread has gone to sleep on it."""

    def __init__(self) -> None:
        super().__init__()
        self._parked = threading.Semaphore(0)

    def park(self, bell: Bell, until_ns: int) -> None:
        """Tell, then sleep: a clock moved in between rings the bell all the same."""
        self._parked.release()
        super().park(bell, until_ns)

    def await_parked(self, n: int = 1) -> None:
        """Return when n more sleeps have begun."""
        for _ in range(n):
            assert self._parked.acquire(timeout=PATIENCE)


class Queue:
    """Threads that acquire one after another; who got through when, in that order."""

    def __init__(self, clock: ParkingClock) -> None:
        self.clock = clock
        self._through: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def join(self, name: str, acquire: Any, *args: Any, **options: Any) -> None:
        """Start a thread that waits; return when it sleeps."""

        def body() -> None:
            try:
                acquire(*args, **options)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                self._through.put((name, error))
            else:
                self._through.put((name, self.clock.time()))

        self._threads.append(threading.Thread(target=body, daemon=True))
        self._threads[-1].start()
        self.clock.await_parked()

    def next(self) -> tuple[Any, ...]:
        """(name, time in seconds) of the next that got through, or (name, error)."""
        return self._through.get(timeout=PATIENCE)

    def has_next(self) -> bool:
        """Whether somebody else has got through."""
        return not self._through.empty()

    def close(self) -> None:
        """Wait for all threads to end."""
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


async def settle() -> None:
    """Let every task run until all of them wait."""
    for _ in range(50):
        await asyncio.sleep(0)
