"""Several limits as one: all admit a call, or none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

from seawall.clock import Clock
from seawall.errors import ConfigError, RateLimited
from seawall.guard._policy import Face, Waiting, name_of
from seawall.guard.limits import _options as options
from seawall.guard.limits._decision import Decision, KeyedStats, LimitStats
from seawall.guard.limits._entering import Entering
from seawall.guard.limits._joint import (
    JointPermit,
    Place,
    admission,
    joined,
    refusal,
    refusing_first,
    take,
)
from seawall.guard.limits._keyed import Key, Keyed
from seawall.guard.limits._limit import Limit
from seawall.guard.limits._queue import Queue


def _same_clock(limits: Sequence[Limit | Keyed]) -> Clock:
    clock = limits[0].clock
    if any(one.clock is not clock for one in limits):
        raise ConfigError("the limits of an AllOf must use one clock; give all of them the same clock=")
    return clock


class AllOf(Waiting, Entering, Face):
    """Admits a call through all of its limits or through none.

    Guarantees: a call refused by one limit takes nothing from the others that it could not give back exactly; while it
    is being decided the others may refuse somebody else. Put the limit that refuses most first.
    Thread safety: yes. Cost: about 0.4 microseconds a limit.

    Args:
        limits: TokenBucket, LeakyBucket, FixedWindow, SlidingWindow or SlidingLog, at least one, with one clock.
        name: For messages and statistics.
        shadow: Decide and count, but refuse nobody.
        enforce: The share of refusals that stand, 0 to 1.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.guard.limits import TokenBucket
        >>> clock = ManualClock()
        >>> both = AllOf(TokenBucket(10, clock=clock), TokenBucket(3, per=60, clock=clock))
        >>> sum(both.try_acquire() for _ in range(9))
        3
    """

    def __init__(self, *limits: Limit, name: str = "all_of", shadow: bool = False, enforce: float = 1.0) -> None:
        if not limits:
            raise ConfigError("AllOf needs at least one limit")
        for one in limits:
            if not isinstance(one, Limit):
                raise ConfigError(f"AllOf is made of limits, got {one!r}")
        self.limits = limits
        self._clock = _same_clock(limits)
        self._queue = Queue()
        self._begin(name_of(name, "all_of"), self._clock, shadow, enforce)

    def try_acquire(self, cost: int = 1) -> bool:
        """Admit a call of `cost` through all limits now, or through none."""
        return self.check(cost).admitted or self._pardon()

    def check(self, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer: the tightest limit's name, the longest wait."""
        seen = [one.peek(cost) for one in self.limits]
        try:
            take(refusing_first([_placer(one, cost) for one in self.limits], seen)).commit()
        except RateLimited as refused:
            return refusal([one.peek(cost) for one in self.limits], refused)
        return admission([one.peek() for one in self.limits], self.name)

    def peek(self, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return joined([one.peek(cost) for one in self.limits], self.name)

    def acquire(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait until all limits admit, first come first served among those who wait for this AllOf.

        Raises:
            RateLimited: At once when the first in line would wait longer than the timeout or the Deadline; else when
                that has passed.
        """
        if not self._pardoned(cost):
            self._wait(cost, timeout)

    async def acquire_async(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task; cancelling it lets the next one come forward."""
        if not self._pardoned(cost):
            await self._wait_async(cost, timeout)

    def reserve(self, cost: int = 1) -> JointPermit:
        """A place in every limit, due now, that can be given back; RateLimited when one has none.

        Places ahead are not given: kept until the slowest limit is due, they would be used too late in the others.
        """
        return take([_placer(one, cost) for one in self.limits])

    def _attempt(self, cost: int) -> Decision:
        """`check` for waiters: what is refused is not counted, it goes on waiting."""
        seen = self.peek(cost)
        return self.check(cost) if seen.admitted else seen

    def keyed(self, max_keys: int = 100_000) -> KeyedAllOf:
        """The same limits for each of many keys."""
        return KeyedAllOf(*(one.keyed(max_keys) for one in self.limits), name=self.name)

    def stats(self) -> tuple[LimitStats, ...]:
        """What each limit has done so far."""
        return tuple(one.stats() for one in self.limits)

    def _pardoned(self, cost: int) -> bool:
        """Whether nothing is to be waited for, where not all refusals stand."""
        return self.enforce < 1.0 and self.try_acquire(cost)

    def _wait(self, cost: int = 1, timeout: float | timedelta | None = None) -> None:
        with options.Patience(timeout) as longest:
            self._queue.wait(self._clock, lambda: self._attempt(cost), longest)

    async def _wait_async(self, cost: int = 1, timeout: float | timedelta | None = None) -> None:
        with options.Patience(timeout) as longest:
            await self._queue.wait_async(self._clock, lambda: self._attempt(cost), longest)

    _wait_in = _wait
    _wait_in_async = _wait_async

    def _try_in(self) -> bool:
        return self.check().admitted

    def __repr__(self) -> str:
        return f"AllOf({', '.join(map(repr, self.limits))})"


class KeyedAllOf:
    """AllOf by key; made by `AllOf.keyed`. The calls of AllOf with a key first."""

    def __init__(self, *limits: Keyed, name: str = "all_of") -> None:
        self.limits = limits
        self.name = name
        self._clock = _same_clock(limits)
        self._queues: dict[tuple[type, Key], tuple[Queue, int]] = {}
        self._lock = Lock()

    def try_acquire(self, key: Key, cost: int = 1) -> bool:
        """Admit a call of `cost` for `key` through all limits now, or through none."""
        return self.check(key, cost).admitted

    def check(self, key: Key, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer."""
        seen = [one.peek(key, cost) for one in self.limits]
        try:
            take(refusing_first(self._placers(key, cost), seen)).commit()
        except RateLimited as refused:
            return refusal([one.peek(key, cost) for one in self.limits], refused)
        return admission([one.peek(key) for one in self.limits], self.name)

    def peek(self, key: Key, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return joined([one.peek(key, cost) for one in self.limits], self.name)

    def acquire(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait until all limits admit `key`, as AllOf does."""
        with options.Patience(timeout) as longest, self._queue(key) as queue:
            queue.wait(self._clock, lambda: self._attempt(key, cost), longest)

    async def acquire_async(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task."""
        with options.Patience(timeout) as longest, self._queue(key) as queue:
            await queue.wait_async(self._clock, lambda: self._attempt(key, cost), longest)

    def reserve(self, key: Key, cost: int = 1) -> JointPermit:
        """A place for `key` in every limit, due now, that can be given back."""
        return take(self._placers(key, cost))

    def _attempt(self, key: Key, cost: int) -> Decision:
        seen = self.peek(key, cost)
        return self.check(key, cost) if seen.admitted else seen

    @contextmanager
    def _queue(self, key: Key) -> Iterator[Queue]:
        """The line of a key, there as long as somebody stands in it."""
        of_type = type(key), key
        with self._lock:
            queue, users = self._queues.get(of_type, (Queue(), 0))
            self._queues[of_type] = queue, users + 1
        try:
            yield queue
        finally:
            with self._lock:
                queue, users = self._queues.pop(of_type)
                if users > 1:
                    self._queues[of_type] = queue, users - 1

    def stats(self) -> tuple[KeyedStats, ...]:
        """What each limit has done so far."""
        return tuple(one.stats() for one in self.limits)

    def _placers(self, key: Key, cost: int) -> list[Place]:
        return [lambda longest, one=one: one._place(key, cost, longest) for one in self.limits]  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"KeyedAllOf({', '.join(map(repr, self.limits))})"


def _placer(one: Limit, cost: int) -> Place:
    return lambda longest: one._place(cost, longest)
