"""A loop on a thread of its own: for client libraries that only know asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from typing import Any, TypeVar

from seawall.errors import ConfigError, UnknownOutcome

R = TypeVar("R")


class Portal:
    """Runs coroutines of any number of threads and loops in one loop, whose thread begins with the first of them.

    Guarantees: a caller that is cancelled or interrupted cancels its coroutine. A forked child begins its own
    loop. Closing ends what is under way with UnknownOutcome.

    Thread safety: yes.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """The coroutine's result, for a thread."""
        future = self._submit(coroutine)
        try:
            return future.result()
        except FutureCancelled as error:
            raise self._cut_short() from error
        except BaseException:
            future.cancel()
            raise

    async def run_async(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """The coroutine's result, for a task of any loop."""
        future = self._submit(coroutine)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise self._cut_short() from error

    def _cut_short(self) -> UnknownOutcome:
        return UnknownOutcome(f"{self._name} was closed while this call was under way; it may have had its effect")

    def _submit(self, coroutine: Coroutine[Any, Any, R]) -> Future[R]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._running())
        except BaseException:
            coroutine.close()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid():
            # The parent's loop has no thread here, and its lock may have been held when we were forked.
            self._lock, self._pid, self._loop, self._thread = threading.Lock(), os.getpid(), None, None
        with self._lock:
            if self._closed:
                raise ConfigError(f"{self._name} is closed; open another engine")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Cancel what is under way and end the thread; may be called twice."""
        if self._pid != os.getpid():
            self._lock, self._loop, self._thread = threading.Lock(), None, None
        with self._lock:
            self._closed = True
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


class PortalWire(ABC):
    """A `Wire` over a client library that only knows asyncio: write `_execute` and `_disconnect`.

    Both always run in the portal's loop, so one client serves all threads and loops. In a forked child that is another
    loop: a client made in an earlier loop is dropped unused, and another one is made.

    Args:
        name: Of the engine.
    """

    def __init__(self, name: str) -> None:
        self._portal = Portal(name)

    @abstractmethod
    async def _execute(self, what: Any, timeout: float) -> Any:
        """The reply to `what` within `timeout` seconds; see `Wire` for the errors."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Close the client, if there is one."""

    def execute(self, what: Any, timeout: float) -> Any:
        """The reply to `what`, for a thread."""
        return self._portal.run(self._execute(what, timeout))

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """The reply to `what`, for a task."""
        return await self._portal.run_async(self._execute(what, timeout))

    def close(self) -> None:
        """Close the client and end the loop; may be called twice."""
        try:
            self._portal.run(self._disconnect())
        except ConfigError:
            return
        self._portal.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        await asyncio.to_thread(self.close)
