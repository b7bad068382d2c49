"""What ports accept, the same for all engines."""

from __future__ import annotations

from typing import Any

from seawall.clock import to_ns
from seawall.errors import ConfigError

MAX_KEY_BYTES = 512
MAX_VALUE_BYTES = 1_000_000
_MOST = (1 << 53) - 1


def name_of(value: Any, what: str, *, empty: bool = False) -> str:
    """A key, stream, prefix or owner: text of 1 to 512 bytes in UTF-8 without control characters."""
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be text, got {value!r}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ConfigError(f"{what} must be text that UTF-8 can write, got {value!r}") from None
    if size > MAX_KEY_BYTES or (size == 0 and not empty):
        raise ConfigError(f"{what} must be {0 if empty else 1} to {MAX_KEY_BYTES} bytes in UTF-8, got {size}")
    if not value.isprintable():
        raise ConfigError(f"{what} must be without control characters, got {value!r}")
    return value


def value_of(value: Any, what: str) -> bytes:
    """A value: at most a million bytes."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise ConfigError(f"{what} must be bytes, got {type(value).__name__}; encode it first")
    data = bytes(value)
    if len(data) > MAX_VALUE_BYTES:
        raise ConfigError(
            f"{what} must be at most {MAX_VALUE_BYTES:,} bytes, got {len(data):,}; keep large things elsewhere and "
            "their address here"
        )
    return data


def whole_of(value: Any, what: str, *, least: int = 0, most: int = _MOST) -> int:
    """A whole number in a range: a revision, a position, a limit."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{what} must be a whole number from {least} to {most:,}, got {value!r}")
    return value


def seconds_of(value: Any, what: str, *, least: float = 0.001, most: float = 365 * 86_400.0) -> float:
    """A duration in seconds."""
    if type(value) is float and least <= value <= most and value == round(value, 6):
        return value  # in whole microseconds it is exact already
    seconds = to_ns(value, what, least_ns=0) / 1e9
    if not least <= seconds <= most:
        raise ConfigError(f"{what} must be {least:g} to {most:,.10g} s, got {value}")
    return seconds
