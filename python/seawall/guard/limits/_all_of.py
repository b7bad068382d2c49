"""Several limits as one: all admit a call, or none does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from seawall.clock import AsyncBell, Bell, Clock
from seawall.errors import ConfigError, RateLimited
from seawall.guard._policy import Face, Waiting
from seawall.guard.limits import _options as options
from seawall.guard.limits._decision import Decision, KeyedStats, LimitStats
from seawall.guard.limits._keyed import Key, Keyed
from seawall.guard.limits._limit import Limit
from seawall.guard.limits._permit import Permit


class JointPermit:
    """A place in every limit. Wait `wait` seconds, then go; or give all of them back."""

    __slots__ = ("_permits",)

    def __init__(self, permits: Sequence[Permit]) -> None:
        self._permits = tuple(permits)

    @property
    def at_ns(self) -> int:
        """When the last of the places is due, in nanoseconds of the limits' clock."""
        return max(p.at_ns for p in self._permits)

    @property
    def wait(self) -> float:
        """Seconds until the last of the places is due."""
        return max(p.wait for p in self._permits)

    def commit(self) -> None:
        """Keep the places for good."""
        for permit in self._permits:
            permit.commit()

    def cancel(self) -> bool:
        """Give back what may be given back; whether anything was."""
        given_back = [p.cancel() for p in reversed(self._permits)]
        return any(given_back)


def take(places: Sequence[Callable[[float], Permit]], longest: float) -> JointPermit:
    """A place of each within `longest` seconds, or RateLimited with every one already taken given back."""
    taken: list[Permit] = []
    try:
        for place in places:
            taken.append(place(longest))
    except BaseException:
        for permit in reversed(taken):
            permit.cancel()
        raise
    return JointPermit(taken)


def joined(decisions: Sequence[Decision], name: str) -> Decision:
    """One answer for all: the smallest room, the longest wait."""
    tightest = min(decisions, key=lambda d: (d.admitted, d.remaining))
    return Decision(
        all(d.admitted for d in decisions),
        tightest.limit,
        min(d.remaining for d in decisions),
        max(d.retry_after for d in decisions),
        max(d.reset_after for d in decisions),
        name if tightest.admitted else tightest.name,
        tightest.key,
    )


def wait(permit: JointPermit, clock: Clock) -> None:
    """Sleep a thread until the permit is due; an exception gives it back."""
    bell = Bell()
    try:
        while clock.now_ns() < permit.at_ns:
            clock.park(bell, permit.at_ns)
    except BaseException:
        permit.cancel()
        raise
    permit.commit()


async def wait_async(permit: JointPermit, clock: Clock) -> None:
    """Sleep a task until the permit is due; an exception gives it back."""
    bell = AsyncBell()
    try:
        while clock.now_ns() < permit.at_ns:
            await clock.park_async(bell, permit.at_ns)
    except BaseException:
        permit.cancel()
        raise
    permit.commit()


def _same_clock(limits: Sequence[Limit | Keyed]) -> Clock:
    clock = limits[0].clock
    if any(one.clock is not clock for one in limits):
        raise ConfigError("the limits of an AllOf must use one clock; give all of them the same clock=")
    return clock


class AllOf(Waiting, Face):
    """Admits a call through all of its limits or through none.

    Guarantees: a call refused by one limit takes nothing from the others that it could not give back exactly; while it
    is being decided the others may refuse somebody else. Put the limit that refuses most first.
    Thread safety: yes. Cost: about 0.4 microseconds a limit.

    Args:
        limits: TokenBucket, LeakyBucket, FixedWindow, SlidingWindow or SlidingLog, at least one, with one clock.
        name: For messages and statistics.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.guard.limits import TokenBucket
        >>> clock = ManualClock()
        >>> both = AllOf(TokenBucket(10, clock=clock), TokenBucket(3, per=60, clock=clock))
        >>> sum(both.try_acquire() for _ in range(9))
        3
    """

    def __init__(self, *limits: Limit, name: str = "all_of") -> None:
        if not limits:
            raise ConfigError("AllOf needs at least one limit")
        for one in limits:
            if not isinstance(one, Limit):
                raise ConfigError(f"AllOf is made of limits, got {one!r}")
        self.limits = limits
        self._clock = _same_clock(limits)
        self._begin(options.name_of(name, "all_of"), self._clock)

    def try_acquire(self, cost: int = 1) -> bool:
        """Admit a call of `cost` through all limits now, or through none."""
        return self.check(cost).admitted

    def check(self, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer: the tightest limit's name, the longest wait."""
        seen = self.peek(cost)
        if not seen.admitted:
            return seen
        try:
            take([_placer(one, cost) for one in self.limits], 0.0).commit()
        except RateLimited:  # somebody was faster
            return self.peek(cost)._replace(admitted=False)
        return joined([one.peek() for one in self.limits], self.name)._replace(admitted=True, retry_after=0.0)

    def peek(self, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return joined([one.peek(cost) for one in self.limits], self.name)

    def acquire(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait until all limits admit; RateLimited at once when that outlasts timeout or Deadline."""
        with options.Patience(timeout) as longest:
            wait(take([_placer(one, cost) for one in self.limits], longest), self._clock)

    async def acquire_async(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task; cancelling it gives the places back."""
        with options.Patience(timeout) as longest:
            await wait_async(take([_placer(one, cost) for one in self.limits], longest), self._clock)

    def reserve(self, cost: int = 1) -> JointPermit:
        """A place in every limit, now or later."""
        return take([_placer(one, cost) for one in self.limits], 365 * 86_400.0)

    def keyed(self, max_keys: int = 100_000) -> KeyedAllOf:
        """The same limits for each of many keys."""
        return KeyedAllOf(*(one.keyed(max_keys) for one in self.limits), name=self.name)

    def stats(self) -> tuple[LimitStats, ...]:
        """What each limit has done so far."""
        return tuple(one.stats() for one in self.limits)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def __aenter__(self) -> Self:
        await self.acquire_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    _wait_in = acquire
    _wait_in_async = acquire_async

    def __repr__(self) -> str:
        return f"AllOf({', '.join(map(repr, self.limits))})"


class KeyedAllOf:
    """AllOf by key; made by `AllOf.keyed`. The calls of AllOf with a key first."""

    def __init__(self, *limits: Keyed, name: str = "all_of") -> None:
        self.limits = limits
        self.name = name
        self._clock = _same_clock(limits)

    def try_acquire(self, key: Key, cost: int = 1) -> bool:
        """Admit a call of `cost` for `key` through all limits now, or through none."""
        return self.check(key, cost).admitted

    def check(self, key: Key, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer."""
        seen = self.peek(key, cost)
        if not seen.admitted:
            return seen
        try:
            take(self._placers(key, cost), 0.0).commit()
        except RateLimited as refused:  # somebody was faster, or there is no room for one more key
            return self.peek(key, cost)._replace(admitted=False, retry_after=refused.retry_after or 0.0)
        return joined([one.peek(key) for one in self.limits], self.name)._replace(admitted=True, retry_after=0.0)

    def peek(self, key: Key, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return joined([one.peek(key, cost) for one in self.limits], self.name)

    def acquire(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait until all limits admit `key`."""
        with options.Patience(timeout) as longest:
            wait(take(self._placers(key, cost), longest), self._clock)

    async def acquire_async(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task."""
        with options.Patience(timeout) as longest:
            await wait_async(take(self._placers(key, cost), longest), self._clock)

    def reserve(self, key: Key, cost: int = 1) -> JointPermit:
        """A place for `key` in every limit, now or later."""
        return take(self._placers(key, cost), 365 * 86_400.0)

    def stats(self) -> tuple[KeyedStats, ...]:
        """What each limit has done so far."""
        return tuple(one.stats() for one in self.limits)

    def _placers(self, key: Key, cost: int) -> list[Callable[[float], Permit]]:
        return [lambda longest, one=one: one._place(key, cost, longest) for one in self.limits]  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"KeyedAllOf({', '.join(map(repr, self.limits))})"


def _placer(one: Limit, cost: int) -> Callable[[float], Any]:
    return lambda longest: one._place(cost, longest)
