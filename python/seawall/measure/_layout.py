"""What a histogram can be asked to tell apart, checked and brought to whole nanoseconds."""

from __future__ import annotations

import math

from seawall.errors import ConfigError

_LARGEST_NS = 1 << 62  # the kernel's arithmetic keeps two bits of 64 to spare


def checked_layout(lowest: float, highest: float, digits: int) -> tuple[int, int, int]:
    """(lowest, highest, digits) as the kernel takes them, the first two in nanoseconds.

    Raises:
        ConfigError: an option is out of range; the message says which and what to do.
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 5:
        raise ConfigError(f"digits must be 1 to 5, got {digits!r}; 3 digits keep every percentile within 0.1 %")
    low = _nanoseconds("lowest", lowest, "1e-6 tells microseconds apart")
    high = _nanoseconds("highest", highest, "3600.0 records up to an hour")
    if not 2 * low <= high:
        raise ConfigError(
            f"highest must be at least twice lowest, {low * 2 / 1e9}, got {highest!r}; larger values are clipped to it"
        )
    if low.bit_length() + (2 * 10**digits - 1).bit_length() > 62:
        raise ConfigError(
            f"lowest must leave 62 bits room for {digits} digits, got {lowest!r}; lower it or ask for fewer digits"
        )
    return low, high, digits


def _nanoseconds(option: str, value: float, advice: str) -> int:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 1 <= round(value * 1e9) <= _LARGEST_NS:
        raise ConfigError(f"{option} must be a number from 1e-9 to 4.6e9, got {value!r}; {advice}")
    return round(value * 1e9)
