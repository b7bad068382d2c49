"""Signals that end a run in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from seawall.measure.load._loop import fine_loop

T = TypeVar("T")


def run_until_signal(work: Callable[[asyncio.Event], Coroutine[Any, Any, T]], *, blocking: str, awaited: str) -> T:
    """Run what ends in order when the event is set, in an event loop of its own; Ctrl-C and SIGTERM set it.

    Args:
        work: Makes the coroutine.
        blocking: What was called.
        awaited: What is to be awaited in its place where a loop is running.

    Raises:
        RuntimeError: Called from a running event loop.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(f"{blocking} needs a thread without a running event loop; await {awaited} instead")
    with asyncio.Runner(loop_factory=fine_loop) as runner:
        return runner.run(_until_signal(work))


async def _until_signal(work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
    stop = asyncio.Event()
    with stop_on_signals(stop):
        task = asyncio.create_task(work(stop))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # asyncio.Runner turns Ctrl-C into a cancellation of this task; the work behind the shield goes on.
            if task.done():
                raise
            stop.set()
            return await task


@contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """While the block runs, SIGTERM sets `stop`; only the main thread can hear it, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        # None stands for a handler that was not set from Python and cannot be set again by it.
        if before is not None:
            signal.signal(signal.SIGTERM, before)
