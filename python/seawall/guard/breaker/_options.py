"""What a circuit breaker is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol, runtime_checkable

from seawall.clock import to_ns
from seawall.errors import ConfigError
from seawall.patterns import Options, option

_MOST_CALLS = 1024


@dataclass(frozen=True, slots=True)
class Calls:
    """A number of calls, 1 to 1024: a window of the newest ones, or as many successes as a ramp takes."""

    count: int

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or not 1 <= self.count <= _MOST_CALLS:
            raise ConfigError(f"Calls must be a whole number from 1 to {_MOST_CALLS}, got {self.count!r}")


@dataclass(frozen=True, slots=True)
class Seconds:
    """A window of time, 0.01 s to 86,400 s, kept in ten parts of which the oldest is dropped whole."""

    seconds: float | timedelta

    def __post_init__(self) -> None:
        to_ns(self.seconds, "Seconds", least_ns=10_000_000, most_ns=86_400_000_000_000)

    @property
    def ns(self) -> int:
        """The length in nanoseconds."""
        return to_ns(self.seconds, "Seconds")


@dataclass(frozen=True, slots=True)
class Ramp:
    """How traffic comes back after the probes: a share of it first, then more, until the breaker is closed.

    Args:
        over: How long it takes: seconds, or Calls (so many successes in a row).
        start: The share of calls admitted at the beginning, 0.001 to 1.
        backoff: What a failure leaves of the progress made so far, 0 to 1.
    """

    over: float | timedelta | Calls = 10.0
    start: float = 0.1
    backoff: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.over, Calls):
            to_ns(self.over, "Ramp(over=)", least_ns=1_000_000, most_ns=86_400_000_000_000)
        for name, value, least in (("start", self.start, 0.001), ("backoff", self.backoff, 0.0)):
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= 1
            if not good:
                raise ConfigError(f"Ramp({name}=) must be a share from {least:g} to 1, got {value!r}")


@runtime_checkable
class OpeningTimes(Protocol):
    """How long to stay open the n-th time in a row: the backoffs of seawall.guard.retry are such."""

    def wait(self, attempt: int, previous: int, rng: Any) -> int:
        """Nanoseconds for the `attempt`-th opening in a row (from 1), `previous` being the last one's."""


def _is_opening_time(value: Any) -> str | None:
    if isinstance(value, OpeningTimes) and not isinstance(value, type):  # a class has the method, too
        return None
    try:
        to_ns(value, "open_for", least_ns=1_000_000, most_ns=86_400_000_000_000)
    except ConfigError:
        return "0.001 to 86400 s, or a backoff such as Exponential(5, cap=300)"
    return None


def _is_callable(value: Any) -> str | None:
    return None if callable(value) else "a function or None"


def _is_types(value: Any) -> str | None:
    kinds = value if isinstance(value, tuple) else (value,)
    good = all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds)
    return None if good else "an exception type or a tuple of them"


def _is_window(value: Any) -> str | None:
    return None if isinstance(value, (Calls, Seconds)) else "Calls(...) or Seconds(...)"


def _is_ramp(value: Any) -> str | None:
    return None if isinstance(value, Ramp) else "Ramp(...) or None"


class BreakerOptions(Options):
    """Options of a CircuitBreaker."""

    failure_ratio: float | None = option(
        default=0.5, above=0, most=1, help="share of failures in the window that opens (reached, not exceeded)"
    )
    min_calls: int = option(default=10, least=1, most=1_000_000, help="calls in the window before ratios decide")
    window: Calls | Seconds = option(default=Calls(100), check=_is_window, help="what ratios are counted over")
    slow_after: float | timedelta | None = option(
        default=None, unit="s", least=1e-6, most=86_400, help="a call that takes this long is slow"
    )
    slow_ratio: float | None = option(
        default=None,
        above=0,
        most=1,
        help="share of slow calls that opens; failure_ratio, or 0.5, when slow_after is set",
    )
    consecutive: int | None = option(default=None, least=1, most=65_535, help="failures in a row that open")
    combine: Literal["any", "all"] = option(default="any", help="how many of the conditions that are on must be met")
    open_for: Any = option(
        default=30.0, unit="s", check=_is_opening_time, help="how long to stay open: a time, or a backoff for a series"
    )
    open_jitter: float = option(default=0.0, least=0, most=1, help="up to this share more, by chance, of open_for")
    longest_open: float | timedelta = option(
        default=3600.0, unit="s", least=0.001, most=86_400, help="bound on open_for and on a callee's Retry-After"
    )
    probes: int = option(default=3, least=1, most=64, help="calls admitted half open, all of which must succeed")
    lost_after: float | timedelta = option(
        default=60.0, unit="s", least=0.001, most=86_400, help="a probe unanswered for so long is lost, its place free"
    )
    recovery: Ramp | None = option(default=Ramp(), check=_is_ramp, help="how traffic comes back after the probes")
    failure_if: Callable[[Any], bool] | None = option(
        default=None, check=_is_callable, help="decides of a result or an exception whether it is a failure"
    )
    ignore: Any = option(default=(), check=_is_types, help="exceptions that say nothing about the callee")
    seed: int | None = option(default=None, help="of the jitter, to be repeated in tests")

    def check(self) -> Iterable[str]:
        """Conditions that contradict each other."""
        if isinstance(self.window, Calls) and self.min_calls > self.window.count:
            yield f"min_calls must be at most the window of {self.window.count} calls, got {self.min_calls}"
        if self.slow_ratio is not None and self.slow_after is None:
            yield f"slow_ratio={self.slow_ratio} needs slow_after: how long is slow?"
        if self.failure_ratio is None and self.slow_after is None and self.consecutive is None:
            yield "nothing would ever open it: give failure_ratio, slow_after or consecutive"
        if not isinstance(self.open_for, OpeningTimes) and to_ns(self.open_for, "open_for") > self._longest_ns:
            yield f"open_for must be at most longest_open of {self.longest_open:g} s, got {self.open_for}"

    @property
    def _longest_ns(self) -> int:
        return to_ns(self.longest_open, "longest_open")
