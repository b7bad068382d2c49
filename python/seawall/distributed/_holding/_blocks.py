"""`with lock:` and `async with lock:`, for any number of threads and tasks with one object."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar


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


class Blocks(Generic[H]):
    """Remembers, for each thread and task, the blocks it is in."""

    acquire: Any
    acquire_async: Any

    def __init__(self) -> None:
        # The newest last. Only the thread or task itself touches its own.
        self._blocks: dict[object, list[H]] = {}

    def __enter__(self) -> H:
        held: H = self.acquire()
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
        held: H = await self.acquire_async()
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
