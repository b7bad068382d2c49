"""A service whose every answer is given by hand."""

from __future__ import annotations

import asyncio
from typing import Any


class Service:
    """Awaitable calls that end when the test says so."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Future[Any]] = []
        self.cancelled: list[int] = []

    async def ask(self, key: str = "k") -> Any:
        """Wait for the answer to this very call."""
        number = len(self.calls)
        self.calls.append(asyncio.get_running_loop().create_future())
        try:
            return await self.calls[number]
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise

    def answer(self, number: int, result: Any) -> None:
        """End a call well."""
        self.calls[number].set_result(result)

    def fail(self, number: int, error: Exception) -> None:
        """End a call badly."""
        self.calls[number].set_exception(error)


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
