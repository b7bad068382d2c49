"""Those who wait for several limits at once, first come first served.

Nobody holds a place while waiting: one taken early in a faster limit would be used late, and many used at once exceed
it; one taken ahead would keep others out until then. The first in line looks when all limits will admit it, sleeps
until then, and takes all places at that moment; the others sleep until they are first. Nothing polls.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from seawall.clock import AsyncBell, Bell, Clock
from seawall.errors import RateLimited
from seawall.guard.limits._decision import Decision

Attempt = Callable[[], Decision]
_FAR_NS = 1 << 58


class Queue:
    """The waiters of an AllOf in one process. Thread safe."""

    __slots__ = ("_lock", "_turns")

    def __init__(self) -> None:
        self._lock = Lock()
        self._turns: deque[Turn] = deque()

    def __len__(self) -> int:
        return len(self._turns)

    def wait(self, clock: Clock, attempt: Attempt, longest: float) -> None:
        """Wait in a thread until `attempt` admits; RateLimited when that will not be within `longest` seconds."""
        with self._standing(Turn(self, clock, Bell(), attempt, longest)) as turn:
            while (until := turn.ask()) is not None:
                clock.park(turn.bell, until)  # type: ignore[arg-type]

    async def wait_async(self, clock: Clock, attempt: Attempt, longest: float) -> None:
        """`wait` for a task."""
        with self._standing(Turn(self, clock, AsyncBell(), attempt, longest)) as turn:
            while (until := turn.ask()) is not None:
                await clock.park_async(turn.bell, until)  # type: ignore[arg-type]

    def is_first(self, turn: Turn) -> bool:
        """Whether nobody stands before it."""
        with self._lock:
            return self._turns[0] is turn

    @contextmanager
    def _standing(self, turn: Turn) -> Iterator[Turn]:
        with self._lock:
            self._turns.append(turn)
        try:
            yield turn
        finally:
            with self._lock:
                was_first = self._turns[0] is turn
                self._turns.remove(turn)
                following = self._turns[0] if was_first and self._turns else None
            if following is not None:
                following.bell.ring()


class Turn:
    """One who waits."""

    __slots__ = ("_attempt", "_clock", "_deadline", "_queue", "bell")

    def __init__(self, queue: Queue, clock: Clock, bell: Bell | AsyncBell, attempt: Attempt, longest: float) -> None:
        self._queue, self._clock, self.bell, self._attempt = queue, clock, bell, attempt
        self._deadline = _FAR_NS if math.isinf(longest) else clock.now_ns() + round(longest * 1e9)

    def ask(self) -> int | None:
        """None when admitted, else until when to sleep; RateLimited when waiting on is of no use."""
        now = self._clock.now_ns()
        if not self._queue.is_first(self):
            if now >= self._deadline:
                raise RateLimited("others still wait before this call")
            return self._deadline
        decision = self._attempt()
        if decision.admitted:
            return None
        due = now + max(1, round(decision.retry_after * 1e9))
        if due > self._deadline:
            whom = "" if decision.key is None else f" for key {decision.key!r}"
            raise RateLimited(
                f"{decision.name} is at its limit{whom}; retry in {decision.retry_after:.6g} s",
                retry_after=decision.retry_after,
                policy=decision.name,
                key=decision.key,
            )
        return due
