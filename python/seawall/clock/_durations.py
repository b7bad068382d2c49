"""Durations as people write them, as exact integer nanoseconds."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction

from seawall.errors import ConfigError

Seconds = float | int | timedelta
LONGEST_NS = 1 << 58
"""Nine years, the reach of the kernels' positions in time."""


def to_ns(value: Seconds, what: str, *, least_ns: int = 1, most_ns: int = LONGEST_NS) -> int:
    """`value` (seconds or timedelta) in nanoseconds, exact for what its decimal form says.

    Raises:
        ConfigError: Not a number, not finite, or outside `least_ns` to `most_ns`; names `what`.
    """
    if isinstance(value, timedelta):
        ns = (value.days * 86_400 + value.seconds) * 1_000_000_000 + value.microseconds * 1_000
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{what} must be seconds (a number) or a timedelta, got {value!r}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{what} must be {_text(least_ns)} to {_text(most_ns)}, got {value}")
    else:
        ns = round(decimal(value) * 1_000_000_000)
    if not least_ns <= ns <= most_ns:
        raise ConfigError(f"{what} must be {_text(least_ns)} to {_text(most_ns)}, got {value}")
    return ns


def decimal(value: float) -> Fraction:
    """What the shortest decimal says that reads back as the same float: 0.1 is a tenth, not 0.1000000000000000055."""
    # Of float itself: subclasses (numpy.float64) show themselves otherwise.
    return Fraction(float.__repr__(value)) if isinstance(value, float) else Fraction(value)


def _text(ns: int) -> str:
    return f"{ns} ns" if 0 < ns < 1000 else f"{ns / 1e9:g} s"
