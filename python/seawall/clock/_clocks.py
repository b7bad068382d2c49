"""The clocks a service can be driven by."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from seawall._core import clock as _core
from seawall.clock._bells import AsyncBell, Bell
from seawall.clock._durations import LONGEST_NS, to_ns

# Rounds of the event loop from a ring to what the woken task does next, with some to spare.
_QUIET_ROUNDS = 8


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make it; nothing when it was made."""


class Clock(_core.Clock):
    """What every seawall object takes as `clock=`: `SystemClock()` or a `ManualClock`."""

    __slots__ = ()

    def sleep(self, seconds: float | timedelta) -> None:
        """Sleep a thread for `seconds`."""
        until = self.now_ns() + to_ns(seconds, "seconds", least_ns=0)
        bell = Bell()
        while self.now_ns() < until:
            self.park(bell, until)

    async def sleep_async(self, seconds: float | timedelta) -> None:
        """Sleep a task for `seconds`."""
        until = self.now_ns() + to_ns(seconds, "seconds", least_ns=0)
        bell = AsyncBell()
        while self.now_ns() < until:
            await self.park_async(bell, until)

    def park(self, bell: Bell, until_ns: int) -> None:
        """Sleep until the bell rings or `until_ns` has come; may return early."""
        raise NotImplementedError(f"{type(self).__name__} must say how to wait; use SystemClock or ManualClock")

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """`park` for a task."""
        raise NotImplementedError(f"{type(self).__name__} must say how to wait; use SystemClock or ManualClock")

    def call_at(self, until_ns: int, callback: Callable[[], object], loop: asyncio.AbstractEventLoop) -> Timer:
        """Call `callback` in `loop` once `until_ns` has come, unless the timer is cancelled first."""
        raise NotImplementedError(f"{type(self).__name__} must say how to wait; use SystemClock or ManualClock")


class SystemClock(Clock):
    """The machine's monotonic clock, the same for all its processes."""

    __slots__ = ()

    def park(self, bell: Bell, until_ns: int) -> None:
        """Sleep until the bell rings or the time has come."""
        bell.wait(min((until_ns - self.now_ns()) / 1e9, threading.TIMEOUT_MAX))
        bell.clear()

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """Sleep a task until the bell rings or the time has come."""
        timer = bell.loop.call_later((until_ns - self.now_ns()) / 1e9, bell.ring_here)
        try:
            await bell.rung()
        finally:
            timer.cancel()

    def call_at(self, until_ns: int, callback: Callable[[], object], loop: asyncio.AbstractEventLoop) -> Timer:
        """Call `callback` in `loop` once the time has come."""
        left = until_ns - self.now_ns()
        return loop.call_at(loop.time() + (left / 1e9 if left > 0 else 0.0), callback)

    def __repr__(self) -> str:
        return "SystemClock()"

    def __reduce__(self) -> tuple[Any, ...]:
        return SystemClock, ()


_Due = tuple[int, int, Callable[[], None]]


class ManualClock(_core.Hands, Clock):
    """A clock that stands until a test moves it; kernels, threads and tasks all see the same time.

    Thread safety: yes. Waiters whose time has come are woken by whoever moves the clock.

    Args:
        start: Where it stands at first, in seconds.
        autojump: When somebody starts to wait, jump to the first moment anybody waits for, so that a test of an hour
            of waiting takes none. Meant for one thread, or for tasks of one loop that wait for nothing else;
            `seawall.testing` has `run` for tasks that also use asyncio's own timers, and `run_threads`.

    Example:
        >>> clock = ManualClock()
        >>> clock.advance(1.5)
        >>> clock.time()
        1.5
    """

    def __init__(self, start: float | timedelta = 0.0, *, autojump: bool = False) -> None:
        self._lock = threading.Lock()
        self._timers: list[_Due] = []
        self._calls: list[_Due] = []
        self._order = itertools.count()
        self._sleepers: dict[Bell, int] = {}
        self._wake: Callable[[], None] | None = None
        self._driver = 0
        self.autojump = autojump
        self._jumping = False
        self.set_ns(to_ns(start, "start", least_ns=0))

    def time(self) -> float:
        """Where the clock stands, in seconds."""
        return self.now_ns() / 1e9

    def advance(self, seconds: float | timedelta) -> None:
        """Move forward and wake whoever waited for that."""
        with self._lock:
            target = self.now_ns() + to_ns(seconds, "seconds", least_ns=0)
        self._move_to(target)

    def step_back(self, seconds: float | timedelta) -> None:
        """Move backward, as no good clock does: for tests of what happens then."""
        with self._lock:
            self.set_ns(max(0, self.now_ns() - to_ns(seconds, "seconds", least_ns=0)))

    def park(self, bell: Bell, until_ns: int) -> None:
        """Sleep until the bell rings or the clock is moved to `until_ns`."""
        timer = self._remind(until_ns, bell.ring)
        self._sleepers[bell] = threading.get_ident()
        try:
            if self._wake is None:
                if self.autojump:
                    self.jump()
            elif self._driver != threading.get_ident():
                self._wake()
            else:
                while not bell.is_set():  # nobody else would move the clock
                    self.jump()
            bell.wait()
        finally:
            del self._sleepers[bell]
            self._forget(timer)
        bell.clear()  # no earlier: whoever is rung is awake

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """Sleep a task until the bell rings or the clock is moved to `until_ns`."""
        timer = self._remind(until_ns, bell.ring)
        try:
            if self.autojump:
                self._jump_when_quiet(bell.loop)
            await bell.rung()
        finally:
            self._forget(timer)

    def call_at(self, until_ns: int, callback: Callable[[], object], loop: asyncio.AbstractEventLoop) -> Timer:
        """Call `callback` in `loop` once the clock is moved to `until_ns`; never inside the call that moves it."""
        timer = _ManualTimer(self, until_ns, callback, loop)
        if self.autojump:
            self._jump_when_quiet(loop)
        return timer

    def call_when(self, until_ns: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` once the clock is moved to `until_ns` or beyond, at that time, in the thread that moves it.

        What a thread of its own does under a SystemClock. Nobody waits for it: the clock does not jump there.
        """
        due = (min(until_ns, LONGEST_NS), next(self._order), callback)
        with self._lock:
            heapq.heappush(self._calls, due)
        return _ManualCall(self, due)

    @property
    def waiting(self) -> int:
        """How many wait for a later time."""
        return len(self._timers)

    @property
    def next_ns(self) -> int | None:
        """The first moment anybody waits for, in nanoseconds; None when nobody waits."""
        with self._lock:
            return self._timers[0][0] if self._timers else None

    def jump(self) -> bool:
        """Move to the first moment anybody waits for; False when nobody waits."""
        first = self.next_ns
        if first is not None:
            self._move_to(first)
        return first is not None

    def asleep(self) -> frozenset[int]:
        """The identifiers of all threads that sleep on this clock and have not been woken."""
        return frozenset(thread for bell, thread in list(self._sleepers.items()) if not bell.is_set())

    @contextmanager
    def driven(self, wake: Callable[[], None]) -> Iterator[None]:
        """Inside, the caller alone moves the clock: autojump rests, and `wake` is called when a thread goes to sleep.

        Raises:
            RuntimeError: Somebody else drives it.
        """
        if self._wake is not None:
            raise RuntimeError("this clock is driven by a loop or by run_threads already; give each its own clock")
        self._wake, self._driver = wake, threading.get_ident()
        try:
            yield
        finally:
            self._wake = None

    def _remind(self, until_ns: int, ring: Callable[[], None]) -> _Due:
        timer = (min(until_ns, LONGEST_NS), next(self._order), ring)
        with self._lock:
            heapq.heappush(self._timers, timer)
            due = timer[0] <= self.now_ns()
        if due:
            ring()
        return timer

    def _forget(self, timer: _Due) -> None:
        with self._lock:
            if timer in self._timers:
                self._timers.remove(timer)
                heapq.heapify(self._timers)

    def _jump_when_quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._wake is None and not self._jumping:
            self._jumping = True
            loop.call_soon(self._settle, loop, _QUIET_ROUNDS)

    def _settle(self, loop: asyncio.AbstractEventLoop, rounds: int) -> None:
        # Whoever is ready runs first, and whoever a jump has woken acts before the next one.
        if rounds:
            loop.call_soon(self._settle, loop, rounds - 1)
            return
        self.jump()
        self._jumping = bool(self._timers)
        if self._jumping:
            loop.call_soon(self._settle, loop, _QUIET_ROUNDS)

    def _move_to(self, target: int) -> None:
        while True:
            with self._lock:
                first = self._calls[0][0] if self._calls else target
                at = max(self.now_ns(), min(first, target))
                self.set_ns(at)
                due, calls = _popped(self._timers, at), _popped(self._calls, at)
            for call in (*due, *calls):
                call()
            if not calls and at >= target:
                return

    def __repr__(self) -> str:
        return f"ManualClock({self.time():g})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a ManualClock cannot be pickled: a copy would stand still when this one is moved")


def _popped(heap: list[_Due], at: int) -> list[Callable[[], None]]:
    due = []
    while heap and heap[0][0] <= at:
        due.append(heapq.heappop(heap)[2])
    return due


class _ManualCall:
    """A call that whoever moves a ManualClock makes."""

    __slots__ = ("_clock", "_due")

    def __init__(self, clock: ManualClock, due: _Due) -> None:
        self._clock = clock
        self._due = due

    def cancel(self) -> None:
        with self._clock._lock:
            if self._due in self._clock._calls:
                self._clock._calls.remove(self._due)
                heapq.heapify(self._clock._calls)


class _ManualTimer:
    """A call that a ManualClock makes."""

    __slots__ = ("_callback", "_clock", "_loop", "_timer")

    def __init__(
        self, clock: ManualClock, until_ns: int, callback: Callable[[], object], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._clock = clock
        self._loop = loop
        self._callback: Callable[[], object] | None = callback
        self._timer = clock._remind(until_ns, self._due)

    def _due(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        self._callback = None
        self._clock._forget(self._timer)
