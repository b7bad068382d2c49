"""A bound on calls in flight, for threads and tasks of any number of loops alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

from seawall._core.bulkhead import Places
from seawall.clock import Clock
from seawall.errors import BulkheadFull
from seawall.guard._in_line import InLine
from seawall.guard._policy import Face, name_of
from seawall.guard.bulkhead._events import BulkheadRefused, BulkheadStats
from seawall.guard.bulkhead._options import BulkheadOptions
from seawall.patterns import Signal


class Bulkhead(InLine, Face):
    """At most `max_concurrent` calls in flight, at most `max_queue` waiting, each at most `max_wait` seconds.

    Guarantees: First come first served, among threads, tasks and loops together; nobody overtakes. A place left is
    handed to the first in line; a waiter that is cancelled leaves the line, and one that was given a place in the same
    moment passes it on. No lock is held over user code, and nothing polls. A `Deadline` in context bounds the wait.

    Thread safety: yes. Cost: about 10 ns to enter and leave while there are places.

    Args:
        max_concurrent: Calls in flight at once, 1 to 2**30.
        max_queue: Calls that may wait; 0 refuses at once.
        max_wait: Longest wait, in seconds or as timedelta; None waits as long as the caller's Deadline lets.
        name: What errors, events and statistics call it.
        clock: What measures the wait.
        shadow: Decide and count, refuse nobody.
        enforce: The share of refusals that stand, 0 to 1.

    Example:
        >>> bulkhead = Bulkhead(1)
        >>> with bulkhead:
        ...     bulkhead.try_acquire()
        False
    """

    __slots__ = ("__weakref__", "_options", "refused")

    _options: BulkheadOptions

    def __init__(
        self,
        max_concurrent: int,
        *,
        max_queue: int = 0,
        max_wait: float | timedelta | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self._options = BulkheadOptions(max_concurrent=max_concurrent, max_queue=max_queue, max_wait=max_wait)
        self._begin(name_of(name, "bulkhead"), clock, shadow, enforce)
        self._resize(max_concurrent, max_queue)
        self.refused: Signal[BulkheadRefused] = Signal("bulkhead.refused", BulkheadRefused)

    def try_acquire(self) -> bool:
        """Take a place now, or not; never waits, and never overtakes those who do. Give it back with `release()`."""
        return self._admit_now() or self._count_refusal()

    def acquire(self) -> None:
        """Take a place, waiting in line where that is allowed. Give it back with `release()`.

        Raises:
            BulkheadFull: The line is full, or the wait is over.
        """
        self._enter()

    async def acquire_async(self) -> None:
        """`acquire` for a task; cancelling it gives its place in line away."""
        await self._enter_async()

    release = Places._give_back

    def reconfigure(
        self,
        *,
        max_concurrent: int | None = None,
        max_queue: int | None = None,
        max_wait: float | timedelta | None = None,
    ) -> None:
        """New bounds, each unless it is None. Who waits finds a place at once; who is in flight stays.

        Raises:
            ConfigError: A bound is out of range; nothing was changed.
        """
        asked = {"max_concurrent": max_concurrent, "max_queue": max_queue, "max_wait": max_wait}
        options = self._options.replace(**{name: value for name, value in asked.items() if value is not None})
        self._options = options
        self._resize(options.max_concurrent, options.max_queue)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None] | None:
        before, self._options = self._options, BulkheadOptions(**options)
        self._resize(self._options.max_concurrent, self._options.max_queue)

        def undo() -> None:
            self._options = before
            self._resize(before.max_concurrent, before.max_queue)

        return undo

    def stats(self) -> BulkheadStats:
        """What it has done so far."""
        places, queue, in_flight, queued, admitted, refused = self._counts()
        return BulkheadStats(
            self.name, places, queue, in_flight, queued, admitted, refused, self.let_through, self.shadow
        )

    def _longest_wait(self) -> float | None:
        return cast(float | None, self._options.max_wait)

    def _refusal(self, state: str) -> BulkheadFull:
        _, _, in_flight, queued, _, _ = self._counts()
        if self.refused:
            self.refused.send(BulkheadRefused(self.name, state, in_flight, queued))
        return BulkheadFull(f"{self.name} is full: {self._why_full(state)}", policy=self.name, state=state)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        await self.acquire_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        places, queue, in_flight, queued, _, _ = self._counts()
        shadow = " shadow" if self.shadow else ""
        state = f"{in_flight} of {places} in flight, {queued} of {queue} queued"
        return f"<{type(self).__name__} {self.name!r}: {state}{shadow}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"{type(self).__name__} {self.name!r} cannot be pickled: a copy in another process would be a second one; "
            "make it where the calls are made"
        )
