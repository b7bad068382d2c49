"""Connections of psycopg that keep to a time where the coordinator waits, and are ordinary where the caller does."""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from typing import Any

from seawall.clock import Clock

_INTERVAL = 0.05
"""How late a thread notices, in seconds, that its time is over."""


def _expiring(waits: Generator[Any, Any, Any], clock: Clock, until_ns: int) -> Generator[Any, Any, Any]:
    """The same waits, which end in TimeoutError when they are woken too late with nothing to do."""
    try:
        wait = next(waits)
        while True:
            ready = yield wait
            if not ready and clock.now_ns() >= until_ns:
                raise TimeoutError("the server did not answer in time")
            wait = waits.send(ready)
    except StopIteration as done:
        return done.value


@cache
def kinds() -> tuple[Any, Any]:
    """Of connections: for threads and for tasks. Both have `hurry`: a clock and until when, or None."""
    import psycopg
    import psycopg.waiting

    class ThreadConnection(psycopg.Connection[Any]):
        hurry: tuple[Clock, int] | None = None

        def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
            if self.hurry is None:
                return super().wait(gen, *args, **options)
            return psycopg.waiting.wait(_expiring(gen, *self.hurry), self.pgconn.socket, _INTERVAL)

    class TaskConnection(psycopg.AsyncConnection[Any]):
        hurry: tuple[Clock, int] | None = None

        async def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
            # The library's own cancels at leisure, waiting for the server; ours is thrown away.
            if self.hurry is None:
                return await super().wait(gen, *args, **options)
            return await psycopg.waiting.wait_async(gen, self.pgconn.socket, 1.0)

    return ThreadConnection, TaskConnection
