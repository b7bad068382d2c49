"""Checks of options: every message names the value, the range and the way out."""

from __future__ import annotations

import math
from datetime import timedelta

from seawall.errors import ConfigError

MAX_RATE = 1_000_000.0
MAX_DURATION = 7 * 86_400.0


def number(name: str, value: object, *, low: float, high: float, unit: str, way_out: str) -> float:
    """Return `value` as a float within [low, high].

    Raises:
        ConfigError: It is not a number, or outside of the range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{name} must be a number of {unit}, got {value!r}; {way_out}")
    # Written so that NaN, which fails every comparison, is refused too.
    if not low <= value <= high or math.isinf(value):
        raise ConfigError(f"{name} must be between {low:,.10g} and {high:,.10g} {unit}, got {value:,.10g}; {way_out}")
    return float(value)


def rate(name: str, value: object) -> float:
    """Return a rate in requests a second, 0 to 1,000,000."""
    return number(name, value, low=0, high=MAX_RATE, unit="requests a second", way_out="use 0 for silence")


def seconds(name: str, value: object, *, low: float = 1e-3, high: float = MAX_DURATION, way_out: str) -> float:
    """Return a duration in seconds, given in seconds or as a timedelta."""
    plain = value.total_seconds() if isinstance(value, timedelta) else value
    return number(name, plain, low=low, high=high, unit="seconds", way_out=way_out)


def whole(name: str, value: object, *, low: int, high: int, unit: str, way_out: str) -> int:
    """Return `value` as an int within [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{name} must be a whole number of {unit}, got {value!r}; {way_out}")
    return int(number(name, value, low=low, high=high, unit=unit, way_out=way_out))
