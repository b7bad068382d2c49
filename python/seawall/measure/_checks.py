"""Options that every measure takes, checked."""

from __future__ import annotations

from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError


def checked_name(name: str) -> str:
    """`name`, or a ConfigError that says what it must be."""
    if not isinstance(name, str) or not name:
        raise ConfigError(f"name must be a text that is not empty, got {name!r}; reports and exports show it")
    return name


def checked_clock(clock: Clock | None) -> Clock:
    """`clock`, the machine's where there is none, or a ConfigError."""
    if clock is None:
        return SystemClock()
    if not isinstance(clock, Clock):
        raise ConfigError(f"clock must be a seawall Clock (SystemClock or ManualClock), got {clock!r}")
    return clock


def checked_amount(option: str, value: int, advice: str) -> int:
    """A whole number from 1, or a ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{option} must be a whole number from 1, got {value!r}; {advice}")
    return value
