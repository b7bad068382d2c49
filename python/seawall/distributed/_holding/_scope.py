"""Cancels a task when what protects it is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Scope:
    """The part of a task that is cancelled: from its making to `leave`. As asyncio.timeout does it.

    Thread safety: `cancel` may come from any thread, the rest is the task's.
    """

    __slots__ = ("_active", "_before", "_cancelled", "_loop", "_task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a scope belongs to a task; use it inside of a coroutine that a loop runs")
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._before = task.cancelling()
        self._active = True
        self._cancelled = False

    def cancel(self) -> None:
        """Cancel what the task does in here."""
        # A closed loop has ended whatever ran in it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._active:
            self._cancelled = True
            self._task.cancel()

    def leave(self, kind: type[BaseException] | None) -> bool:
        """End it; True when `kind` is the cancellation that came from here and from nowhere else."""
        self._active = False
        if not self._cancelled:
            return False
        others = self._task.uncancel() > self._before
        return kind is not None and issubclass(kind, asyncio.CancelledError) and not others
