"""Options of limits: checked once, here, with the value, the range and the way out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from types import TracebackType

from seawall.clock import Clock, Deadline, ManualClock, SystemClock, to_ns
from seawall.clock._durations import decimal
from seawall.errors import ConfigError, RateLimited
from seawall.memory import Segment

_FASTEST = 1_000_000_000
_MOST = (1 << 60) - 1
# A period above this would reach past the kernels' nine years.
_LONGEST_PERIOD = (1 << 57) - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a kernel is asked for: `amount` tokens per `period` nanoseconds, never more than `limit` at once."""

    amount: int
    period: int
    limit: int


def whole(value: object, what: str, *, most: int = _MOST) -> int:
    """A whole number from 1 to `most`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{what} must be a whole number from 1 to {most}, got {value!r}")
    if not 1 <= value <= most:
        raise ConfigError(f"{what} must be 1 to {most}, got {value}")
    return value


def rate_plan(rate: float, per: float | timedelta, limit: int | None, what: str) -> Plan:
    """Tokens at `rate` per `per` seconds; a limit of None is what one period brings, at least 1."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise ConfigError(f"rate must be a number of calls, got {rate!r}")
    if rate <= 0 or (isinstance(rate, float) and not math.isfinite(rate)):
        raise ConfigError(f"rate must be above 0 and finite, got {rate}; to refuse everything open a breaker by hand")
    exact = decimal(rate) / to_ns(per, "per")
    if exact > 1 or exact < Fraction(1, _LONGEST_PERIOD):
        raise ConfigError(
            f"a rate must be between one call in nine years and {_FASTEST} calls a second, "
            f"got {rate} per {per}; use larger units of cost"
        )
    exact = exact.limit_denominator(_LONGEST_PERIOD)
    if limit is None:
        limit = max(1, math.floor(rate))
    return Plan(exact.numerator, exact.denominator, whole(limit, what))


def window_plan(limit: int, window: float | timedelta) -> Plan:
    """At most `limit` in a window."""
    most = whole(limit, "limit")
    return Plan(most, to_ns(window, "window", least_ns=1000), most)


def clock_of(clock: Clock | None, shared: Segment | str | None) -> Clock:
    """The clock to use; a shared limit needs one that all its processes read alike."""
    if clock is None:
        return _SYSTEM
    if not isinstance(clock, Clock):
        raise ConfigError(f"clock must be a seawall Clock (SystemClock or ManualClock), got {clock!r}")
    if shared is not None and not isinstance(clock, (SystemClock, ManualClock)):
        raise ConfigError(f"a shared limit needs a SystemClock or ManualClock, got {clock!r}")
    return clock


class Patience:
    """The longest wait of a block, in seconds: its timeout, or what its Deadline leaves if that is less.

    A refusal that only the Deadline brought about says so.
    """

    __slots__ = ("_left", "longest")

    def __init__(self, timeout: float | timedelta | None) -> None:
        self.longest = math.inf if timeout is None else to_ns(timeout, "timeout", least_ns=0) / 1e9
        self._left: float | None = None
        deadline = Deadline.current()
        if deadline is not None and (left := deadline.remaining()) < self.longest:
            self.longest = self._left = left

    def __enter__(self) -> float:
        return self.longest

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._left is not None and isinstance(error, RateLimited):
            error.args = (f"{error.args[0]}, the caller's deadline leaves {self._left:.6g} s", *error.args[1:])
            error.state = "deadline"


_SYSTEM = SystemClock()
