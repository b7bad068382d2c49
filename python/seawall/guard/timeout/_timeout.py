"""A bound on the time of each call, for whatever kind of function."""

from __future__ import annotations

import contextvars
import functools
import inspect
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from seawall._callables import is_coroutine_function
from seawall._core.timeout import Timing
from seawall.clock import Clock, Deadline, SystemClock, to_ns
from seawall.errors import BulkheadFull, TimeoutExceeded
from seawall.guard._policy import Face, name_of
from seawall.guard._threads import wait_for
from seawall.guard.timeout._events import TimedOut, TimeoutStats
from seawall.guard.timeout._options import TimeoutOptions
from seawall.patterns import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls that are waited for at once, beside those that were abandoned; more queue for a thread within their time.
_THREADS = 64


class Timeout(Timing, Face):
    """Each call has `seconds`, or what its caller's Deadline leaves if that is less; then it ends in TimeoutExceeded.

    Guarantees:

    - A coroutine function is cancelled when its time is up. Somebody else's cancellation is never swallowed, also when
      both come together; `asyncio.timeout` and `TaskGroup` nest with it in any order.
    - A plain function cannot be interrupted. A `Deadline` is in force while it runs, which limits, bulkheads, retries
      and `Deadline.check()` honour. When it returns too late, its result is dropped and TimeoutExceeded raised: the
      work was done all the same.
    - With `thread=True` a plain function runs in another thread, and its caller gets TimeoutExceeded in time. The
      function runs on until it ends by itself; `stats().abandoned` counts those, and at `max_abandoned` of them further
      calls are refused.
    - A generator's time is looked at before and after each item, and an async generator is also cancelled while it
      works on one, never while its consumer does. The Deadline is in force only while the generator runs.
    - The callee's own error is passed on, also when it comes late.

    Thread safety: yes. Cost: 0.3 us for a plain function, 3 us for a coroutine function, 50 us with `thread=True`.

    Args:
        seconds: Time for each call, in seconds or as timedelta; above 0, at most a year.
        thread: Run plain functions in a thread.
        max_abandoned: How many of those may run on with nobody waiting, before calls are refused.
        name: What errors, events and statistics call it.
        clock: What measures the time.
        shadow: Measure and count, end nothing.
        enforce: The share of calls, of those whose time is up, that end, 0 to 1.

    Example:
        >>> import asyncio
        >>> @Timeout(0.01)
        ... async def hang() -> None:
        ...     await asyncio.Event().wait()
        >>> asyncio.run(hang())
        Traceback (most recent call last):
        seawall.errors.TimeoutExceeded: timeout: no answer within 0.01 s
    """

    __slots__ = ("__weakref__", "_lock", "_options", "_pool", "timed_out")

    def __init__(
        self,
        seconds: float | timedelta,
        *,
        thread: bool = False,
        max_abandoned: int = 16,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self._begin(name_of(name, "timeout"), clock, shadow, enforce)
        self._take(TimeoutOptions(seconds=seconds, thread=thread, max_abandoned=max_abandoned))
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self.timed_out: Signal[TimedOut] = Signal("timeout.timed_out", TimedOut)

    @property
    def seconds(self) -> float:
        """The time each call is given."""
        return cast(float, self._options.seconds)

    def stats(self) -> TimeoutStats:
        """What it has done so far."""
        return TimeoutStats(self.name, self.seconds, self.expired, self.abandoned, self.let_through, self.shadow)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None] | None:
        wanted, before = TimeoutOptions(**options), self._options
        if wanted.thread != before.thread:
            return None
        self._take(wanted)
        return lambda: self._take(before)

    def _take(self, options: TimeoutOptions) -> None:
        self._options = options
        self._limit(to_ns(options.seconds, "seconds"), options.max_abandoned if options.thread else -1)

    @property
    def _carries(self) -> bool:
        return self._options.thread

    def _carry(self, fn: Any) -> Any:
        if not self._options.thread or not _is_plain(fn):
            return fn

        @functools.wraps(fn, updated=())
        def run(*args: Any, **kwargs: Any) -> Any:
            return self._run(fn, args, kwargs)

        return run

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """In a thread, for as long as the deadline in force leaves."""
        deadline = Deadline.current()
        future = self._threads().submit(contextvars.copy_context().run, fn, *args, **kwargs)
        try:
            if not wait_for(future, deadline) and deadline is not None:
                if not self._pardon():
                    raise self._expired(*self._terms_of(deadline))
                deadline._let_pass()
                wait_for(future, None)
            return future.result()
        finally:
            self._let_go(future)

    def _terms_of(self, deadline: Deadline) -> tuple[float, None, bool]:
        given, borrowed = deadline._terms()
        return (given, None, borrowed) if given else (self.seconds, None, True)

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                most = self._options.max_abandoned + _THREADS
                self._pool = ThreadPoolExecutor(most, thread_name_prefix=f"seawall-{self.name}")
            return self._pool

    def _let_go(self, future: Future[Any]) -> None:
        if not future.done() and not future.cancel():
            self._count_abandoned(1)
            future.add_done_callback(lambda _: self._count_abandoned(-1))

    def _count_abandoned(self, change: int) -> None:
        with self._lock:
            self._abandon(change)

    def _too_many(self) -> BulkheadFull:
        most = self._options.max_abandoned
        return BulkheadFull(
            f"{self.name}: {self.abandoned} calls that nobody waits for still run in threads, at most {most} may; "
            "give the callee a timeout of its own",
            policy=self.name,
            state="abandoned",
        )

    def _exceeded(self, after: float, took: float | None, by_deadline: bool) -> TimeoutExceeded:
        if self.timed_out:
            self.timed_out.send(TimedOut(self.name, after, took, by_deadline))
        whose = "the caller's deadline, " if by_deadline else ""
        if took is None:
            message = f"{self.name}: no answer within {whose}{after:g} s"
        else:
            message = f"{self.name}: the answer came after {took:g} s, {whose}{after:g} s were given; it is dropped"
        return TimeoutExceeded(message, after=after, policy=self.name)

    def __repr__(self) -> str:
        thread = " thread" if self._options.thread else ""
        shadow = " shadow" if self.shadow else ""
        return f"<Timeout {self.name!r}: {self.seconds:g} s{thread}, {self.expired} timed out{shadow}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.clock, SystemClock):
            raise TypeError(f"Timeout {self.name!r} cannot be pickled with {self.clock!r}")
        options = {**self._options.as_dict(), "name": self.name, "shadow": self.shadow, "enforce": self.enforce}
        return functools.partial(Timeout, **options), ()


def _is_plain(fn: Any) -> bool:
    return not (is_coroutine_function(fn) or inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn))
