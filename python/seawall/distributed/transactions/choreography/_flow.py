"""Flows: generators that say what is to be asked, called and waited for, and do none of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from seawall.clock import AsyncBell, Bell, Clock
from seawall.engines import Journal
from seawall.engines.operation import Op, driver_of, perform, perform_async
from seawall.errors import ConfigError

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Ask:
    """Run an operation of a journal."""

    journal: Journal
    operation: Op[Any]


@dataclass(frozen=True, slots=True)
class Call:
    """Call what the user gave; in a task, await what it gives."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass, until somebody wants it to stop."""

    seconds: float


Flow = Generator[Ask | Call | Pause, Any, R]


class Stopping:
    """Whether to stop, and who sleeps meanwhile.

    Thread safety: yes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: set[Bell | AsyncBell] = set()
        self.wanted = False

    def stop(self) -> None:
        """Stop, and wake who sleeps."""
        self.wanted = True
        for bell in tuple(self._bells):
            bell.ring()

    def pause(self, seconds: float) -> None:
        """Sleep a thread, at most until it is to stop."""
        bell = Bell()
        self._bells.add(bell)
        until_ns = self._clock.now_ns() + round(seconds * 1e9)
        while not self.wanted and self._clock.now_ns() < until_ns:
            self._clock.park(bell, until_ns)
        self._bells.discard(bell)

    async def pause_async(self, seconds: float) -> None:
        """`pause` for a task."""
        bell = AsyncBell()
        self._bells.add(bell)
        until_ns = self._clock.now_ns() + round(seconds * 1e9)
        try:
            while not self.wanted and self._clock.now_ns() < until_ns:
                await self._clock.park_async(bell, until_ns)
            await asyncio.sleep(0)
        finally:
            self._bells.discard(bell)


def run(flow: Flow[R], stopping: Stopping) -> R:
    """Do what a flow says, in this thread."""

    def do(step: Ask | Call | Pause) -> Any:
        match step:
            case Ask(journal, operation):
                return driver_of(journal).run(operation)
            case Call(function, args):
                return _plain(function, function(*args))
            case Pause(seconds):
                return stopping.pause(seconds)

    return perform(flow, do)


async def run_async(flow: Flow[R], stopping: Stopping) -> R:
    """Do what a flow says, in this task."""

    async def do(step: Ask | Call | Pause) -> Any:
        match step:
            case Ask(journal, operation):
                return await driver_of(journal).run_async(operation)
            case Call(function, args):
                reply = function(*args)
                return await reply if inspect.isawaitable(reply) else reply
            case Pause(seconds):
                return await stopping.pause_async(seconds)

    return await perform_async(flow, do)


def _plain(function: Callable[..., Any], reply: Any) -> Any:
    if not inspect.isawaitable(reply):
        return reply
    if hasattr(reply, "close"):
        reply.close()
    name = getattr(function, "__name__", repr(function))
    raise ConfigError(f"{name} gave an awaitable; use the ..._async calls, which await it")


def within(transaction: Any, body: Callable[[Any], Flow[R]]) -> Flow[R]:
    """A flow inside `with transaction()`, or `async with`: committed at its end, rolled back by its error."""
    manager = yield Call(transaction)
    enter, leave = _ways(manager)
    held = yield Call(enter)
    try:
        result = yield from body(held)
    except GeneratorExit:
        raise
    except BaseException as error:
        yield Call(leave, (type(error), error, error.__traceback__))
        raise
    yield Call(leave, (None, None, None))
    return result


def _ways(manager: Any) -> tuple[Callable[[], Any], Callable[..., Any]]:
    for enter, leave in (("__aenter__", "__aexit__"), ("__enter__", "__exit__")):
        if hasattr(type(manager), enter) and hasattr(type(manager), leave):
            return getattr(manager, enter), getattr(manager, leave)
    raise ConfigError(
        f"transaction must give a context manager that begins and commits a transaction, got {manager!r}; for SQLite "
        "sqlite_transactions(path) makes one"
    )
