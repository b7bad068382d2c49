"""A bulkhead with threads of its own, so that slow plain functions block neither the caller's loop nor its threads."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from seawall._callables import is_coroutine_function
from seawall._core import guarded as _guarded
from seawall.clock import Clock, Deadline
from seawall.errors import ConfigError, DeadlineExceeded
from seawall.guard._protect import Guarded
from seawall.guard._threads import wait_for
from seawall.guard.bulkhead._bulkhead import Bulkhead
from seawall.guard.bulkhead._options import ThreadBulkheadOptions

if TYPE_CHECKING:
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")
_OURS = "_seawall_threads"


class ThreadBulkhead(Bulkhead):
    """Runs plain functions in at most `max_threads` threads of its own; at most `max_queue` calls wait for one.

    Guarantees: Context variables of the caller are seen in the thread. A call that is given up while it waits leaves
    the line and is never made. A call that is given up while it runs keeps its thread, and its place, until it ends: a
    thread cannot be interrupted. Threads start when they are first needed.

    Thread safety: yes. Cost: a hop to a thread and back, about 50 us.

    Args:
        max_threads: Threads, 1 to 10,000.
        max_queue: Calls that may wait; 0 refuses at once.
        max_wait: Longest wait for a thread, in seconds or as timedelta.
        name: What errors, events, statistics and threads call it.
        clock: What measures the wait.
        shadow: Decide and count, refuse nobody; calls above the bound wait for a thread inside the pool.
        enforce: The share of refusals that stand, 0 to 1.

    Example:
        >>> with ThreadBulkhead(2) as threads:
        ...     threads.call(sum, [1, 2])
        3
    """

    __slots__ = ("_closed", "_pool")
    _carries = True

    def __init__(
        self,
        max_threads: int,
        *,
        max_queue: int = 0,
        max_wait: float | timedelta | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        ThreadBulkheadOptions(max_threads=max_threads, max_queue=max_queue, max_wait=max_wait)
        super().__init__(
            max_threads,
            max_queue=max_queue,
            max_wait=max_wait,
            name=name or "thread_bulkhead",
            clock=clock,
            shadow=shadow,
            enforce=enforce,
        )
        self._closed = False
        self._pool = ThreadPoolExecutor(max_threads, thread_name_prefix=f"seawall-{self.name}")

    def awaitable(self, fn: Callable[P, R]) -> Guarded[P, Coroutine[Any, Any, R]]:
        """A plain function as a coroutine function that runs in the threads. Also a decorator."""
        return self(self._awaitable(fn))

    async def call_async(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Call a plain function in a thread and await its result."""
        return cast(R, await _guarded.call_async((self,), self._awaitable(fn), args, kwargs))

    def reconfigure(
        self,
        *,
        max_concurrent: int | None = None,
        max_queue: int | None = None,
        max_wait: float | timedelta | None = None,
    ) -> None:
        """New bounds; the number of threads is fixed.

        Raises:
            ConfigError: A bound is out of range, or above the number of threads.
        """
        threads = self._pool._max_workers
        if max_concurrent is not None and max_concurrent > threads:
            raise ConfigError(f"max_concurrent must be 1 to {threads}, the number of threads, got {max_concurrent}")
        super().reconfigure(max_concurrent=max_concurrent, max_queue=max_queue, max_wait=max_wait)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None] | None:
        if options["max_threads"] != self._pool._max_workers:
            return None
        return super()._follow({"max_concurrent" if n == "max_threads" else n: v for n, v in options.items()})

    def close(self) -> None:
        """Take no more calls, and wait for those that run. Closing again does nothing."""
        self._closed = True
        self._pool.shutdown(wait=True)

    def _carry(self, fn: Any) -> Any:
        if getattr(fn, _OURS, None) is self:
            return fn
        self._refuse_coroutines(fn)

        @functools.wraps(fn, updated=())
        def run(*args: Any, **kwargs: Any) -> Any:
            return self._result(self._start(fn, args, kwargs))

        return run

    def _awaitable(self, fn: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
        self._refuse_coroutines(fn)

        @functools.wraps(fn, updated=())
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            future = self._start(fn, args, kwargs)
            try:
                return cast(R, await asyncio.wrap_future(future))
            finally:
                self._outlive(future)

        setattr(run, _OURS, self)
        return run

    @staticmethod
    def _refuse_coroutines(fn: Any) -> None:
        if is_coroutine_function(fn) or inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise ConfigError(
                f"a ThreadBulkhead runs plain functions in threads, got {fn!r}; "
                "guard coroutines and generators with a Bulkhead"
            )

    def _start(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        if self._closed:
            raise RuntimeError(f"{self.name} is closed")
        return self._pool.submit(contextvars.copy_context().run, fn, *args, **kwargs)

    def _result(self, future: Future[Any]) -> Any:
        try:
            if not wait_for(future, Deadline.current()):
                raise DeadlineExceeded(
                    f"{self.name}: the deadline has passed; the work goes on in its thread",
                    policy=self.name,
                    state="passed",
                )
            return future.result()
        finally:
            self._outlive(future)

    def _outlive(self, future: Future[Any]) -> None:
        """The caller goes now, and gives its place back: work that goes on takes one of its own until it ends."""
        if not future.done() and not future.cancel():
            self._hold()
            future.add_done_callback(lambda _: self.release())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> ThreadBulkhead:
        return self

    async def __aenter__(self) -> ThreadBulkhead:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        await asyncio.to_thread(self.close)
