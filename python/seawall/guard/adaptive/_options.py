"""What an adaptive limit is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from seawall.clock import to_ns
from seawall.errors import ConfigError
from seawall.guard.bulkhead._options import MOST
from seawall.patterns import Options, option

MOST_LIMIT = 1 << 20
Words = tuple[int, ...]
"""The kernel's configuration."""


def _number(kind: str, name: str, value: Any, least: float, most: float, *, above: bool = False) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most
    if not good or (above and value == least):
        bounds = f"above {least:g} to {most:g}" if above else f"{least:g} to {most:g}"
        raise ConfigError(f"{kind}({name}=) must be {bounds}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Gradient:
    """Shrinks in proportion to how far latency is above the baseline, grows by the root of the limit.

    Args:
        tolerance: How many baselines a call may take before the limit shrinks, 1 to 100.
        smoothing: How far a window moves the limit to where it should be, above 0 to 1.
    """

    tolerance: float = 1.5
    smoothing: float = 0.3

    def __post_init__(self) -> None:
        _number("Gradient", "tolerance", self.tolerance, 1, 100)
        _number("Gradient", "smoothing", self.smoothing, 0, 1, above=True)


@dataclass(frozen=True, slots=True)
class Vegas:
    """Keeps the number of calls that wait inside the callee between two bounds, both times log10 of the limit.

    Args:
        alpha: Fewer waiting calls, and the limit grows; 0 to 1000.
        beta: More, and it shrinks; alpha to 1000.
        smoothing: How far a window moves the limit to where it should be, above 0 to 1.
    """

    alpha: float = 3.0
    beta: float = 6.0
    smoothing: float = 0.3

    def __post_init__(self) -> None:
        _number("Vegas", "alpha", self.alpha, 0, 1000)
        _number("Vegas", "beta", self.beta, self.alpha, 1000)
        _number("Vegas", "smoothing", self.smoothing, 0, 1, above=True)


@dataclass(frozen=True, slots=True)
class AIMD:
    """Grows by a constant, shrinks by a factor when calls are dropped or slow. Knows no baseline and does not probe.

    Args:
        increase: Calls that a window adds, above 0 to 1000.
        backoff: What a slow window leaves of the limit, 0.5 to 0.99.
        slow_after: A window whose percentile takes longer is slow, in seconds or as timedelta; None: only drops shrink.
    """

    increase: float = 1.0
    backoff: float = 0.9
    slow_after: float | timedelta | None = None

    def __post_init__(self) -> None:
        _number("AIMD", "increase", self.increase, 0, 1000, above=True)
        _number("AIMD", "backoff", self.backoff, 0.5, 0.99)
        if self.slow_after is not None:
            to_ns(self.slow_after, "AIMD(slow_after=)", least_ns=1_000, most_ns=86_400_000_000_000)


def _is_algorithm(value: Any) -> str | None:
    return None if isinstance(value, (Gradient, Vegas, AIMD)) else "Gradient(...), Vegas(...) or AIMD(...)"


def _is_callable(value: Any) -> str | None:
    return None if callable(value) else "a function or None"


class AdaptiveOptions(Options):
    """Options of an AdaptiveLimit."""

    algorithm: Gradient | Vegas | AIMD = option(
        default=Gradient(), check=_is_algorithm, help="by which rule the limit moves"
    )
    initial: int = option(default=20, least=1, most=MOST_LIMIT, help="calls in flight at the beginning")
    min_limit: int = option(default=1, least=1, most=MOST_LIMIT, help="the limit never goes below this")
    max_limit: int = option(default=1000, least=1, most=MOST_LIMIT, help="nor above this")
    max_queue: int = option(default=0, least=0, most=MOST, help="calls that wait for a place, first come first served")
    max_wait: float | timedelta | None = option(
        default=None,
        unit="s",
        above=0,
        most=31_536_000,
        help="longest wait in line; None: as long as the Deadline lets",
    )
    window: float | timedelta = option(
        default=0.1,
        unit="s",
        least=0.001,
        most=3600,
        help="calls are gathered so long, or two baselines, before deciding",
    )
    min_samples: int = option(default=50, least=10, most=1_000_000, help="nothing is decided on fewer calls")
    percentile: float = option(
        default=50.0, least=1, most=99, unit="%", help="of a window's latencies, what is compared with the baseline"
    )
    probe_every: float | timedelta = option(
        default=10.0,
        unit="s",
        least=0.1,
        most=86_400,
        help="the baseline is measured anew this often, and not within 40 windows",
    )
    dropped_ratio: float = option(default=0.01, least=0, most=0.99, help="a larger share of dropped calls shrinks")
    dropped_if: Callable[[Any], bool] | None = option(
        default=None,
        check=_is_callable,
        help="whether a result or an exception is a dropped call; None: timeouts and overload are",
    )

    def check(self) -> Iterable[str]:
        """Bounds must leave room for the limit, and a wait needs a line to wait in."""
        if not self.min_limit <= self.initial <= self.max_limit:
            yield (
                f"initial must be from min_limit to max_limit, {self.min_limit} to {self.max_limit}, got {self.initial}"
            )
        if self.max_wait is not None and self.max_queue == 0:
            yield f"max_wait={self.max_wait!r} has no effect without a line; give max_queue="


def _fixed(value: float) -> int:
    return round(value * 4294967296.0)


def _rule(algorithm: Gradient | Vegas | AIMD) -> Words:
    """Words from smoothing to slow_ns."""
    gradient = algorithm if isinstance(algorithm, Gradient) else Gradient()
    vegas = algorithm if isinstance(algorithm, Vegas) else Vegas()
    aimd = algorithm if isinstance(algorithm, AIMD) else AIMD()
    smoothing = vegas.smoothing if isinstance(algorithm, Vegas) else gradient.smoothing
    slow_ns = 0 if aimd.slow_after is None else to_ns(aimd.slow_after, "slow_after")
    ratios = (smoothing, gradient.tolerance, vegas.alpha, vegas.beta, aimd.increase, aimd.backoff)
    return (*map(_fixed, ratios), slow_ns)


def words_of(options: AdaptiveOptions) -> Words:
    """The options as the kernel's words."""
    return (
        (Gradient, Vegas, AIMD).index(type(options.algorithm)),
        options.min_limit,
        options.max_limit,
        options.initial,
        to_ns(cast(float, options.window), "window"),
        options.min_samples,
        _fixed(options.percentile / 100),
        to_ns(cast(float, options.probe_every), "probe_every"),
        _fixed(options.dropped_ratio),
        *_rule(options.algorithm),
    )
