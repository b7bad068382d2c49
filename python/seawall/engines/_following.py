"""Iterating over what an engine tells as it comes: for threads and tasks, written once."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, Self, TypeVar

from seawall.engines.operation import Driven, Op, driver_of

T = TypeVar("T")


class Following(Generic[T]):
    """What is told as it comes: iterate over it, with `for` or `async for`, inside `with` or `async with`.

    What follows something writes two operations: `_do_step`, the next thing told, or None when there was none for a
    while; and `_do_end`.

    Thread safety: one iterator at a time.

    Args:
        port: Who runs its operations.
        longest: So many seconds a step may take.
    """

    def __init__(self, port: Driven, longest: float) -> None:
        self._driver = driver_of(port)
        self._longest = longest

    def _do_step(self) -> Op[T | None]:
        raise NotImplementedError

    def _do_end(self) -> Op[None]:
        raise NotImplementedError

    def poll(self) -> T | None:
        """What is told next; None when there was nothing for about half a heartbeat."""
        return self._driver.run(self._do_step(), self._longest)

    async def poll_async(self) -> T | None:
        """`poll` for a task."""
        return await self._driver.run_async(self._do_step(), self._longest)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while (told := self.poll()) is None:
            pass
        return told

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while (told := await self.poll_async()) is None:
            pass
        return told

    def close(self) -> None:
        """Stop following."""
        self._driver.run(self._do_end())

    async def close_async(self) -> None:
        """`close` for a task."""
        await self._driver.run_async(self._do_end())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_async()
