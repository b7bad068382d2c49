"""An asyncio loop whose time is a ManualClock's."""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from seawall.clock import ManualClock
from seawall.testing._jobs import Jobs
from seawall.testing._selector import POOL, JumpingSelector

T = TypeVar("T")


class ManualEventLoop(asyncio.SelectorEventLoop):
    """A loop whose time is a clock's, and that moves the clock when all its tasks and threads wait.

    `asyncio.sleep`, `asyncio.timeout`, `wait_for` and `call_later` follow the clock, together with everything of
    seawall that was given it, in the order of their times. Functions in threads (`asyncio.to_thread`) are waited for
    until they end or sleep on the clock. Sockets work as usual; while nothing has arrived, time passes, so peers should
    be in the same loop.

    Args:
        clock: The clock; one loop at a time.
        patience: Real seconds to wait for threads that neither end nor sleep on the clock, before that is an error.

    Raises:
        RuntimeError: Instead of hanging, when nothing is left that could wake any task.
    """

    def __init__(self, clock: ManualClock, *, patience: float = 30.0) -> None:
        self._manual = clock
        selector = JumpingSelector(clock, patience)
        super().__init__(selector)
        self._driving = ExitStack()
        try:
            self._driving.enter_context(clock.driven(self._wake))
        except RuntimeError:
            super().close()
            raise
        self._idle = asyncio.Event()
        self._jobs = Jobs(clock, self._wake)
        selector.busy = self._jobs.busy
        self._pool = ThreadPoolExecutor(thread_name_prefix=POOL)
        self.set_default_executor(self._pool)

    def time(self) -> float:
        """Where the clock stands, in seconds."""
        return self._manual.time()

    def _run_once(self) -> None:
        # asyncio calls a timer that is due less than this ahead; below a float's own step at this time, it never would.
        self._clock_resolution = max(1e-9, math.ulp(self.time()))
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As of every loop; time passes when the function sleeps on the clock."""
        job = self._jobs.add(functools.partial(func, *args))
        try:
            future: asyncio.Future[T] = super().run_in_executor(executor, job)
        except BaseException:
            self._jobs.settle(job, cancelled=False)
            raise
        future.add_done_callback(lambda done: self._jobs.settle(job, done.cancelled()))
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait until all threads have ended, while time passes for them."""
        del timeout  # of real time; the selector's patience bounds this one
        while self._jobs:
            self._idle.clear()
            await self._idle.wait()
        self._executor_shutdown_called = True
        self._pool.shutdown(wait=True)

    def close(self) -> None:
        """Close the loop and leave the clock to others."""
        super().close()
        self._driving.close()

    def _wake(self) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(self._look_at_jobs)

    def _look_at_jobs(self) -> None:
        if not self._jobs:
            self._idle.set()


def run(main: Coroutine[Any, Any, T], clock: ManualClock | None = None, *, patience: float = 30.0) -> T:
    """`asyncio.run` on a clock: an hour of waiting takes no time.

    Args:
        main: What to run.
        clock: The clock that everything inside was given; by default one of its own.
        patience: See `ManualEventLoop`.

    Example:
        >>> import asyncio
        >>> clock = ManualClock()
        >>> run(asyncio.sleep(3600), clock)
        >>> clock.time()
        3600.0
    """
    moved = ManualClock() if clock is None else clock
    with asyncio.Runner(loop_factory=lambda: ManualEventLoop(moved, patience=patience)) as runner:
        return runner.run(main)
