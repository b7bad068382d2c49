"""A limit as a context manager: entering acquires, leaving does nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self, cast


class Acquires(Protocol):
    """What can be waited for."""

    def acquire(self) -> None: ...
    async def acquire_async(self) -> None: ...


class Entering:
    """`with limit:` and `async with limit:` for whatever has `acquire` and `acquire_async`."""

    __slots__ = ()

    def __enter__(self) -> Self:
        cast(Acquires, self).acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def __aenter__(self) -> Self:
        await cast(Acquires, self).acquire_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
