"""The five algorithms, with their state in an engine."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Unpack

from seawall.distributed.limits._levels import Level
from seawall.distributed.limits._limit import Limit
from seawall.distributed.limits._options import Common
from seawall.engines import Engine, Rule


class TokenBucket(Limit):
    """Lets `burst` calls through at once and refills evenly at `rate` per `per` seconds, over all machines.

    Args:
        rate: Calls per `per`, above 0.
        per: The period, in seconds or a timedelta.
        burst: What may pass at once; by default one period's worth, at least 1.
        engine: Where the state is.
        name: Of the limit, the same wherever it is used.
        namespace: Of the engine's meter.
        away: What happens while the engine is away: "open" admits every call, "closed" refuses every call, "local
            share" keeps this process to its part of the limit.
        share: How many processes there are, for "local share": each keeps to limit / share, at least 1 at once.
        within: The longest time to ask the engine, in seconds; then it is away.
        shadow: Decide and count, but refuse nobody.
        enforce: The share of refusals that stand, 0 to 1; the others are counted and let through.

    Raises:
        ConfigError: An option that can never work, or values that are not exact in every engine.

    Source: ITU-T I.371 (GCRA).

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> limit = TokenBucket(10, burst=2, engine=engine, name="api")
        >>> [limit.try_acquire() for _ in range(3)]
        [True, True, False]
        >>> limit.check().retry_after
        0.1
    """

    def __init__(
        self,
        rate: float,
        *,
        per: float | timedelta = 1.0,
        burst: int | None = None,
        engine: Engine,
        name: str,
        **common: Unpack[Common],
    ) -> None:
        self._setup(engine, name, self._plan(name, rate, per=per, burst=burst), common)

    def reconfigure(self, rate: float, *, per: float | timedelta = 1.0, burst: int | None = None) -> None:
        """New limits for the calls of this object; what was used stays used."""
        self._asker.rearrange(self._plan(self.name, rate, per=per, burst=burst))

    @staticmethod
    def _plan(name: str, rate: float, *, per: float | timedelta = 1.0, burst: int | None = None) -> tuple[Level, ...]:
        return (Level(name, Rule.token_bucket(rate, per=per, burst=burst)),)


class LeakyBucket(Limit):
    """Lets calls through one at a time, evenly spaced at `rate` per `per` seconds, over all machines.

    `try_acquire` admits only when the last call's share of time has passed; `acquire` queues behind all who wait on any
    machine, at most `capacity` units including the one that leaves next. Other options and errors as for TokenBucket.

    Args:
        rate: Calls per `per`, above 0.
        per: The period, in seconds or a timedelta.
        capacity: Units the bucket holds; no single cost can be larger.
    """

    def __init__(
        self,
        rate: float,
        *,
        capacity: int,
        per: float | timedelta = 1.0,
        engine: Engine,
        name: str,
        **common: Unpack[Common],
    ) -> None:
        self._setup(engine, name, self._plan(name, rate, per=per, capacity=capacity), common)

    def reconfigure(self, rate: float, *, capacity: int, per: float | timedelta = 1.0) -> None:
        """New limits for the calls of this object; the queue keeps its length in calls."""
        self._asker.rearrange(self._plan(self.name, rate, per=per, capacity=capacity))

    @staticmethod
    def _plan(name: str, rate: float, *, capacity: int, per: float | timedelta = 1.0) -> tuple[Level, ...]:
        return (Level(name, Rule.leaky_bucket(rate, per=per, capacity=capacity)),)


class _Window(Limit):
    """A limit of calls in a window."""

    _kind: ClassVar[str]

    def __init__(
        self,
        limit: int,
        *,
        window: float | timedelta,
        engine: Engine,
        name: str,
        **common: Unpack[Common],
    ) -> None:
        self._setup(engine, name, self._plan(name, limit, window=window), common)

    def reconfigure(self, limit: int, *, window: float | timedelta) -> None:
        """New limits for the calls of this object; what was admitted in the present window still counts."""
        self._asker.rearrange(self._plan(self.name, limit, window=window))

    @classmethod
    def _plan(cls, name: str, limit: int, *, window: float | timedelta) -> tuple[Level, ...]:
        return (Level(name, Rule.window(cls._kind, limit, window=window)),)


class FixedWindow(_Window):
    """At most `limit` calls in each window of the engine's clock, windows lying end to end, over all machines.

    Up to twice `limit` may pass around the edge of two windows. Other options and errors as for TokenBucket.

    Args:
        limit: Calls per window.
        window: Length in seconds or a timedelta.
    """

    _kind = "fixed_window"


class SlidingWindow(_Window):
    """At most `limit` calls in a window that slides, by a weighted count of two windows, over all machines.

    Other options and errors as for TokenBucket.

    Args:
        limit: Calls per window.
        window: Length in seconds or a timedelta.
    """

    _kind = "sliding_window"


class SlidingLog(_Window):
    """At most `limit` calls in every window, exactly: each call is remembered by its time, over all machines.

    The engine reads and writes the whole log at each call. Other options and errors as for TokenBucket.

    Args:
        limit: Calls per window, at most 10,000.
        window: Length in seconds or a timedelta.
    """

    _kind = "sliding_log"
