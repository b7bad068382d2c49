"""The five algorithms."""

from __future__ import annotations

from datetime import timedelta

from seawall._core.descriptors import own_methods
from seawall.clock import Clock
from seawall.errors import ConfigError
from seawall.guard._policy import OnConflict
from seawall.guard.limits import _options as options
from seawall.guard.limits._limit import Limit
from seawall.guard.limits._options import Plan
from seawall.memory import Segment

Shared = Segment | str | None
_MOST_LOGGED = 1 << 22
_LEAST_CELLS = 256


@own_methods
class TokenBucket(Limit):
    """Lets `burst` calls through at once and refills evenly at `rate` per `per` seconds.

    Guarantees: in every interval at most burst + rate x length is admitted, from any number of threads and processes;
    times are rounded up to at most 1/8 ns a call. A clock that steps back admits nothing extra.
    Units: `per` in seconds. Cost: `try_acquire` about 25 ns (45 where the system has to be asked for the time).

    Args:
        rate: Calls per `per`, above 0, at most 1e9 a second.
        per: The period, in seconds or a timedelta.
        burst: What may pass at once; by default one period's worth, at least 1.
        name: For messages and statistics, and the slot in a shared segment; by default "token_bucket".
        clock: Where time comes from.
        shared: A segment, or its name: all workers that name it share one limit.
        shadow: Decide and count, but refuse nobody.
        enforce: The share of refusals that stand, 0 to 1; the others are counted and let through.
        on_conflict: When the slot exists with another configuration: "error", "adopt" it, or "replace" it for all.

    Raises:
        ConfigError: An option that can never work, or a conflicting configuration.
        SegmentError: The segment cannot be used.

    Source: ITU-T I.371 (GCRA).

    Example:
        >>> from seawall.clock import ManualClock
        >>> limit = TokenBucket(10, burst=2, clock=ManualClock())
        >>> [limit.try_acquire() for _ in range(3)]
        [True, True, False]
        >>> limit.check().retry_after
        0.1
    """

    __slots__ = ()
    _algorithm = "token_bucket"

    def __init__(
        self,
        rate: float,
        *,
        per: float | timedelta = 1.0,
        burst: int | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shared: Shared = None,
        shadow: bool = False,
        enforce: float = 1.0,
        on_conflict: OnConflict = "error",
    ) -> None:
        plan = self._plan(rate, per=per, burst=burst)
        self._setup(
            plan, name=name, clock=clock, shared=shared, shadow=shadow, enforce=enforce, on_conflict=on_conflict
        )

    def reconfigure(self, rate: float, *, per: float | timedelta = 1.0, burst: int | None = None) -> None:
        """New limits for everybody at once; debts are kept in calls, waiters keep their order."""
        self._rearrange(self._plan(rate, per=per, burst=burst))

    @staticmethod
    def _plan(rate: float, *, per: float | timedelta = 1.0, burst: int | None = None) -> Plan:
        return options.rate_plan(rate, per, burst, "burst")


@own_methods
class LeakyBucket(Limit):
    """Lets calls through one at a time, evenly spaced at `rate` per `per` seconds.

    `try_acquire` admits only when the last call's share of time has passed; `acquire` and `reserve` queue, at most
    `capacity` units including the one that leaves next. Other options, errors and costs as for TokenBucket.

    Args:
        rate: Calls per `per`, above 0, at most 1e9 a second.
        per: The period, in seconds or a timedelta.
        capacity: Units the bucket holds; no single cost can be larger.

    Source: ITU-T I.371, the leaky bucket as a queue.

    Example:
        >>> from seawall.clock import ManualClock
        >>> limit = LeakyBucket(10, capacity=3, clock=ManualClock())
        >>> [round(limit.reserve().wait, 1) for _ in range(3)]
        [0.0, 0.1, 0.2]
    """

    __slots__ = ()
    _algorithm = "leaky_bucket"

    def __init__(
        self,
        rate: float,
        *,
        capacity: int,
        per: float | timedelta = 1.0,
        name: str | None = None,
        clock: Clock | None = None,
        shared: Shared = None,
        shadow: bool = False,
        enforce: float = 1.0,
        on_conflict: OnConflict = "error",
    ) -> None:
        plan = self._plan(rate, per=per, capacity=capacity)
        self._setup(
            plan, name=name, clock=clock, shared=shared, shadow=shadow, enforce=enforce, on_conflict=on_conflict
        )

    def reconfigure(self, rate: float, *, capacity: int, per: float | timedelta = 1.0) -> None:
        """New limits for everybody at once; the queue keeps its length in calls, waiters keep their order."""
        self._rearrange(self._plan(rate, per=per, capacity=capacity))

    @staticmethod
    def _plan(rate: float, *, capacity: int, per: float | timedelta = 1.0) -> Plan:
        return options.rate_plan(rate, per, options.whole(capacity, "capacity"), "capacity")


class _Window(Limit):
    """A limit of calls in a window."""

    __slots__ = ()

    def __init__(
        self,
        limit: int,
        *,
        window: float | timedelta,
        name: str | None = None,
        clock: Clock | None = None,
        shared: Shared = None,
        shadow: bool = False,
        enforce: float = 1.0,
        on_conflict: OnConflict = "error",
    ) -> None:
        plan = self._plan(limit, window=window)
        self._setup(
            plan, name=name, clock=clock, shared=shared, shadow=shadow, enforce=enforce, on_conflict=on_conflict
        )

    def reconfigure(self, limit: int, *, window: float | timedelta) -> None:
        """New limits for everybody at once; what was admitted in the present window still counts."""
        self._rearrange(self._plan(limit, window=window))

    @staticmethod
    def _plan(limit: int, *, window: float | timedelta) -> Plan:
        return options.window_plan(limit, window)


@own_methods
class FixedWindow(_Window):
    """At most `limit` calls in each window of the clock, windows lying end to end.

    Cheapest to explain; up to twice `limit` may pass around the edge of two windows. Other options, errors and costs as
    for TokenBucket.

    Args:
        limit: Calls per window.
        window: Length in seconds or a timedelta, at least 1 microsecond. Windows begin at whole multiples of it.

    Example:
        >>> from seawall.clock import ManualClock
        >>> limit = FixedWindow(2, window=60, clock=ManualClock())
        >>> [limit.try_acquire() for _ in range(3)]
        [True, True, False]
    """

    __slots__ = ()
    _algorithm = "fixed_window"


@own_methods
class SlidingWindow(_Window):
    """At most `limit` calls in a window that slides, by a weighted count of two windows.

    The calls of the previous window count by the share of it still in view, as if they had come evenly: one word of
    memory, close to SlidingLog for steady traffic. Other options, errors and costs as for TokenBucket.

    Args:
        limit: Calls per window; at most 65,535 a second, 524,287 a minute, 4,194,303 an hour.
        window: Length in seconds or a timedelta, at least 1 microsecond.

    Example:
        >>> from seawall.clock import ManualClock
        >>> clock = ManualClock()
        >>> limit = SlidingWindow(10, window=1, clock=clock)
        >>> sum(limit.try_acquire() for _ in range(20))
        10
        >>> clock.advance(1.5)
        >>> sum(limit.try_acquire() for _ in range(20))
        5
    """

    __slots__ = ()
    _algorithm = "sliding_window"


@own_methods
class SlidingLog(Limit):
    """At most `limit` calls in every window, exactly: each call is remembered by its time.

    Costs 16 to 32 bytes for each call of the limit. `acquire` and `reserve` give places as far ahead as the log has
    room to remember: at least one window, about 250 calls for small limits; beyond that they refuse. For a window after
    a cancel each call costs O(limit). Other options, errors and costs as for TokenBucket.

    Args:
        limit: Calls per window, at most 4,194,304.
        window: Length in seconds or a timedelta, at least 1 microsecond.
        max_limit: The largest limit `reconfigure` may ever set, by default `limit`; its room is reserved at once and
            lets as many wait.

    Example:
        >>> from seawall.clock import ManualClock
        >>> limit = SlidingLog(3, window=60, clock=ManualClock())
        >>> sum(limit.try_acquire() for _ in range(9))
        3
    """

    __slots__ = ()
    _algorithm = "sliding_log"

    def __init__(
        self,
        limit: int,
        *,
        window: float | timedelta,
        max_limit: int | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shared: Shared = None,
        shadow: bool = False,
        enforce: float = 1.0,
        on_conflict: OnConflict = "error",
    ) -> None:
        plan = self._plan(limit, window=window)
        most = plan.limit if max_limit is None else options.whole(max_limit, "max_limit", most=_MOST_LOGGED)
        if most < plan.limit:
            raise ConfigError(f"max_limit must be at least the limit of {plan.limit}, got {most}")
        self._setup(
            plan,
            name=name,
            clock=clock,
            shared=shared,
            shadow=shadow,
            enforce=enforce,
            on_conflict=on_conflict,
            cells=max(_LEAST_CELLS, self._cells(most)),
        )

    def reconfigure(self, limit: int, *, window: float | timedelta) -> None:
        """New limits for everybody at once; the log itself stays as it is."""
        self._rearrange(self._plan(limit, window=window))

    @staticmethod
    def _plan(limit: int, *, window: float | timedelta) -> Plan:
        options.whole(limit, "limit", most=_MOST_LOGGED)
        return options.window_plan(limit, window)

    @classmethod
    def _cells(cls, limit: int) -> int:
        return 1 << (2 * limit).bit_length()
