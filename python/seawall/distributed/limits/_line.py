"""Those of one process that wait for one limit: only the first of them asks the engine."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock

from seawall.clock import AsyncBell, Bell, Clock
from seawall.errors import RateLimited

_FAR_NS = 1 << 58


class Turn:
    """One who stands in a line."""

    __slots__ = ("bell",)

    def __init__(self, bell: Bell | AsyncBell) -> None:
        self.bell = bell


class Lines:
    """The lines of one limit, one for each key that somebody waits for, first come first served. Thread safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._turns: dict[tuple[str, ...], deque[Turn]] = {}

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._turns.values()))

    @contextmanager
    def turn(self, key: tuple[str, ...], longest: float) -> Iterator[float]:
        """Stand in line in a thread; inside, nobody of this process stands before, and so many seconds are left."""
        bell, until = Bell(), self._until(longest)
        with self._standing(key, bell) as turn:
            while not self._is_first(key, turn):
                self._clock.park(bell, self._due(until))
            yield longest if until == _FAR_NS else (until - self._clock.now_ns()) / 1e9

    @asynccontextmanager
    async def turn_async(self, key: tuple[str, ...], longest: float) -> AsyncIterator[float]:
        """`turn` for a task."""
        bell, until = AsyncBell(), self._until(longest)
        with self._standing(key, bell) as turn:
            while not self._is_first(key, turn):
                await self._clock.park_async(bell, self._due(until))
            yield longest if until == _FAR_NS else (until - self._clock.now_ns()) / 1e9

    def _is_first(self, key: tuple[str, ...], turn: Turn) -> bool:
        with self._lock:
            return self._turns[key][0] is turn

    @contextmanager
    def _standing(self, key: tuple[str, ...], bell: Bell | AsyncBell) -> Iterator[Turn]:
        turn = Turn(bell)
        with self._lock:
            self._turns.setdefault(key, deque()).append(turn)
        try:
            yield turn
        finally:
            following = self._left(key, turn)
            if following is not None:
                following.bell.ring()

    def _left(self, key: tuple[str, ...], turn: Turn) -> Turn | None:
        """Who comes first now, if that was another."""
        with self._lock:
            turns = self._turns[key]
            was_first = turns[0] is turn
            turns.remove(turn)
            if not turns:
                del self._turns[key]
            return turns[0] if was_first and turns else None

    def _until(self, longest: float) -> int:
        return _FAR_NS if math.isinf(longest) else self._clock.now_ns() + round(longest * 1e9)

    def _due(self, until: int) -> int:
        if self._clock.now_ns() >= until:
            raise RateLimited("others still wait before this call")
        return until
