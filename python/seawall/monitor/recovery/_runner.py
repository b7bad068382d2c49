"""Where actions run: never in the thread that evaluates."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol

from seawall._callables import is_coroutine_function

_MOST_TEXT = 2000


class Run(Protocol):
    """An action under way."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""

    @property
    def detail(self) -> str:
        """What it returned or raised, as text; only once it has ended."""

    @property
    def failed(self) -> bool:
        """Whether it raised; only once it has ended."""

    def give_up(self) -> None:
        """End it where that is possible."""


class Runner(Protocol):
    """Starts work elsewhere."""

    def start(self, name: str, work: Callable[[], Any]) -> Run:
        """Begin; never waits for the work."""


class _FutureRun:
    """Work that a future stands for."""

    __slots__ = ("_future",)

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    @property
    def done(self) -> bool:
        return self._future.done()

    @property
    def failed(self) -> bool:
        return self._future.cancelled() or self._future.exception() is not None

    @property
    def detail(self) -> str:
        try:
            value = self._future.result(timeout=0)
        except CancelledError:
            return "was cancelled"
        except BaseException as error:  # noqa: BLE001 - whatever an action raises is told, and told only
            return _text(f"{type(error).__name__}: {error}")
        return "" if value is None else _text(str(value))

    def give_up(self) -> None:
        self._future.cancel()


class ThreadRunner:
    """Runs each action in a daemon thread of its own, or as a task of a loop where there is one.

    Attributes:
        loop: Where coroutine functions run; without one they run in a loop of their own, in the thread.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    def start(self, name: str, work: Callable[[], Any]) -> Run:
        """Begin."""
        loop = self.loop
        if is_coroutine_function(work) and loop is not None and not loop.is_closed():
            return _FutureRun(asyncio.run_coroutine_threadsafe(work(), loop))
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # a thread cannot be cancelled: the future must not seem to be
        thread = threading.Thread(target=_into, args=(future, work), name=f"seawall-recovery {name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads: an action that failed
            future.set_exception(error)
        return _FutureRun(future)


def _into(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        value = work()
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
    except BaseException as error:  # noqa: BLE001 - whatever an action raises is told, and told only
        future.set_exception(error)
    else:
        future.set_result(value)


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _text(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 3]}..."
