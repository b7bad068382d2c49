"""`with lock:` and `async with lock:`, for any number of threads and tasks with one object."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from datetime import timedelta
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from seawall.distributed._holding._line import Patience, patience
from seawall.engines.operation import Driven, Op, awaitable, blocking


class Handed(Protocol):
    """What `acquire` gives."""

    def release(self) -> bool:
        """Give it back."""

    async def release_async(self) -> bool:
        """`release` for a task."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


H = TypeVar("H", bound=Handed)


def here() -> object:
    """Who runs this: the task, or the thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.current_thread() if task is None else task


class Blocks(Driven, ABC, Generic[H]):
    """What is acquired, by itself or for a block; remembers, for each thread and task, the blocks it is in."""

    def __init__(self) -> None:
        # The newest last. Only the thread or task itself touches its own.
        self._blocks: dict[object, list[H]] = {}

    @abstractmethod
    def _hold(self, wait: Patience) -> Op[H]:
        """Wait as long as that until it is held."""

    def _do_acquire(self, *, timeout: float | timedelta | None = None) -> Op[H]:
        """Wait until it is held.

        Guarantees: first come, first served. Who dies while waiting or holding is passed over when its lease ends. An
        answer that was lost is asked for again; whatever goes wrong, nothing stays held, at worst until the lease
        ends.

        Args:
            timeout: The longest time to wait, in seconds; None waits until the Deadline in force, if any.

        Raises:
            TimeoutExceeded: Others held it for all of that time.
            DeadlineExceeded: Until the caller's Deadline.
            ConfigError: This task or thread holds it already, and it is not re-entrant.
            EngineError: The engine cannot be used.
        """
        return (yield from self._hold(patience(self._driver.clock, timeout)))

    acquire, acquire_async = blocking(_do_acquire), awaitable(_do_acquire)

    def __enter__(self) -> H:
        held = self.acquire()
        try:
            held.__enter__()
        except BaseException:
            held.release()
            raise
        return self._entered(held)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left().__exit__(kind, error, trace)

    async def __aenter__(self) -> H:
        held = await self.acquire_async()
        try:
            await held.__aenter__()
        except BaseException:
            await held.release_async()
            raise
        return self._entered(held)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._left().__aexit__(kind, error, trace)

    def _entered(self, held: H) -> H:
        self._blocks.setdefault(here(), []).append(held)
        return held

    def _left(self) -> H:
        who = here()
        held = self._blocks[who].pop()
        if not self._blocks[who]:
            del self._blocks[who]
        return held
