"""What is in flight."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType

from seawall.clock import Clock
from seawall.errors import ShuttingDown


class Work:
    """One piece of work in flight: `with shutdown.work("job"):`, or `async with`.

    Attributes:
        name: Its name.
        cut: Whether its time is up: what runs in a thread looks at it between its steps.
    """

    __slots__ = ("_loop", "_register", "_task", "cut", "name", "started_ns")

    def __init__(self, register: Register, name: str) -> None:
        self._register = register
        self.name = name
        self.cut = False
        self.started_ns = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Work:
        self._register.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._register.leave(self)

    async def __aenter__(self) -> Work:
        # Before it is entered: from then on somebody may want to cancel it.
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._register.leave(self)

    def cancel(self) -> None:
        """Its time is up."""
        self.cut = True
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._cancel_if_in, task)

    def _cancel_if_in(self, task: asyncio.Task[object]) -> None:
        if self._register.has(self):  # else the task has gone on to other things
            task.cancel("the service shuts down")


class Register:
    """Counts what is in flight, and lets nothing in once it is closed.

    Thread safety: yes.

    Args:
        clock: What measures how long work has run.
        left: Called when the last has left after it was closed.
    """

    def __init__(self, clock: Clock, left: Callable[[], None]) -> None:
        self._clock = clock
        self._left = left
        self._lock = threading.Lock()
        self._in: dict[Work, None] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._in)

    def has(self, work: Work) -> bool:
        """Whether it is in flight."""
        return work in self._in

    def enter(self, work: Work) -> None:
        """Let work in.

        Raises:
            ShuttingDown: None is taken any more.
        """
        now = self._clock.now_ns()
        with self._lock:
            if not self._closed:
                work.started_ns = now
                self._in[work] = None
                return
        raise ShuttingDown(
            f"{work.name}: the service shuts down and takes no more", policy="shutdown", state="stopping"
        )

    def leave(self, work: Work) -> None:
        """It has ended."""
        with self._lock:
            self._in.pop(work, None)
            last = self._closed and not self._in
        if last:
            self._left()

    def close(self) -> None:
        """Take no more."""
        with self._lock:
            self._closed = True

    def now(self) -> tuple[Work, ...]:
        """What is in flight."""
        with self._lock:
            return tuple(self._in)
