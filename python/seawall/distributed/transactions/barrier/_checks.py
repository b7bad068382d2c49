"""What a barrier accepts."""

from __future__ import annotations

from typing import Any

from seawall.clock import to_ns
from seawall.distributed.transactions.barrier._machine import OPERATIONS
from seawall.errors import ConfigError

_MOST_BYTES = 512
_MOST_RESULT = 1_000_000


def name_of(value: Any, what: str) -> str:
    """An id: text of 1 to 512 bytes in UTF-8 without control characters."""
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be text, got {value!r}")
    size = len(value.encode(errors="replace"))
    if not 1 <= size <= _MOST_BYTES or not value.isprintable():
        raise ConfigError(
            f"{what} must be 1 to {_MOST_BYTES} bytes of text in UTF-8 without control characters, got {value!r:.80}"
        )
    return value


def operation_of(value: Any) -> str:
    """One of the five operations."""
    if value not in OPERATIONS:
        raise ConfigError(f"operation must be one of {', '.join(map(repr, OPERATIONS))}, got {value!r}")
    return str(value)


def result_of(value: Any) -> bytes:
    """Bytes that a row keeps."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise ConfigError(f"result must be bytes, got {type(value).__name__}; encode it first")
    data = bytes(value)
    if len(data) > _MOST_RESULT:
        raise ConfigError(f"result must be at most {_MOST_RESULT:,} bytes, got {len(data):,}; keep its address here")
    return data


def age_of(value: Any) -> float:
    """An age in seconds: a minute to a hundred years."""
    seconds = to_ns(value, "older_than", least_ns=0) / 1e9
    if not 60.0 <= seconds <= 100 * 365 * 86_400.0:
        raise ConfigError(
            f"older_than must be 60 s to 100 years, got {value}; rows must outlive every transaction, those that wait "
            "for a person included"
        )
    return seconds


def limit_of(value: Any) -> int:
    """How many rows at once."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        raise ConfigError(f"limit must be a whole number from 1 to 100,000, got {value!r}")
    return value
