"""What the generator's own machine did to a run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from seawall._core.tally import Tally

_EVERY = 0.02
_TASKS = Path("/proc/self/task")


@asynccontextmanager
async def watching_lag(tally: Tally) -> AsyncIterator[None]:
    """Record how late the event loop comes back to a timer, fifty times a second, while the block runs."""
    loop = asyncio.get_running_loop()

    async def probe() -> None:
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            tally.turn(loop.time() - due)

    task = asyncio.create_task(probe())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far. Units: seconds.

    Args:
        cpu: Of a processor, by all of its threads.
        waited: That one of its threads was ready and had no processor, by thread; empty where the system does not say.
    """

    cpu: float
    waited: dict[str, float]

    @classmethod
    def now(cls) -> Usage:
        """As of now."""
        return cls(time.process_time(), _waited())

    def waited_since(self, before: Usage) -> float:
        """The longest that any one thread has waited since."""
        return max((time - before.waited.get(tid, 0.0) for tid, time in self.waited.items()), default=0.0)


def _waited() -> dict[str, float]:
    # The second figure of schedstat: nanoseconds on a run queue.
    found = {}
    with contextlib.suppress(OSError):
        for tid in os.listdir(_TASKS):
            with contextlib.suppress(OSError, IndexError, ValueError):
                found[tid] = int((_TASKS / tid / "schedstat").read_text().split()[1]) / 1e9
    return found
