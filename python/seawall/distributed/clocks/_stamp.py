"""What a hybrid clock gives, in the forms people and stores read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Self

from seawall._core.logical import LAST_STAMP
from seawall.errors import ConfigError

UNITS = 1 << 16  # a second; the low sixteen bits of a stamp count events inside one unit
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})Z#([0-9a-f]{4})")


class HybridStamp(int):
    """A packed stamp: 48 bits of time since 1970, in 2**-16 s (about 15 us), above 16 bits that count.

    It is an int; clocks give bare ints, and this class reads them. All its forms sort as the stamps do.

    Units: 1970-01-01 to 2106-02-07; `str` and `datetime` show whole microseconds, which name the unit exactly.

    Args:
        value: 0 to 2**64 - 2.

    Raises:
        ConfigError: The value, text or bytes are no stamp.

    Example:
        >>> stamp = HybridStamp(0x6b49_d200_8000_0002)
        >>> str(stamp)
        '2027-01-15T08:00:00.500000Z#0002'
        >>> HybridStamp.parse(str(stamp)) == stamp == HybridStamp.from_bytes8(stamp.bytes8)
        True
    """

    __slots__ = ()

    def __new__(cls, value: int) -> Self:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LAST_STAMP:
            raise ConfigError(f"a stamp must be an int from 0 to {LAST_STAMP}, got {value!r}")
        return super().__new__(cls, value)

    @classmethod
    def at(cls, time: datetime, count: int = 0) -> Self:
        """The stamp of a moment, rounded down to a unit, by default the first in it.

        Raises:
            ConfigError: No time zone, outside 1970 to 2106, or a count beyond 16 bits.
        """
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise ConfigError(f"time must be a datetime with a time zone, got {time!r}; datetime.now(UTC) has one")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < UNITS:
            raise ConfigError(f"count must be 0 to {UNITS - 1}, got {count!r}")
        units = (time - _EPOCH) // _MICROSECOND * UNITS // 1_000_000
        if not 0 <= units < 1 << 48:
            raise ConfigError(f"time must be 1970-01-01 to 2106-02-07 in UTC, got {time.isoformat()}")
        return cls(units << 16 | count)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The stamp that `str` wrote."""
        found = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ConfigError(f"a stamp is written like '2027-01-15T08:00:00.500000Z#0002', got {text!r}")
        try:
            time = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        except ValueError as error:
            raise ConfigError(f"a stamp is written like '2027-01-15T08:00:00.500000Z#0002', got {text!r}") from error
        return cls.at(time, int(found[2], 16))

    @classmethod
    def from_bytes8(cls, data: bytes) -> Self:
        """The stamp that `bytes8` wrote."""
        if not isinstance(data, (bytes, bytearray, memoryview)) or len(data) != 8:
            raise ConfigError(f"a stamp has 8 bytes, got {data!r}")
        return cls(int.from_bytes(data, "big"))

    @property
    def time(self) -> float:
        """Unix time in seconds, exact."""
        return (self >> 16) / UNITS

    @property
    def count(self) -> int:
        """Which event of its unit it is, from 0."""
        return self & (UNITS - 1)

    @property
    def datetime(self) -> datetime:
        """The moment in UTC, rounded up to a microsecond so that `at` finds the same unit again."""
        return _EPOCH + timedelta(microseconds=-(-(self >> 16) * 1_000_000 // UNITS))

    @property
    def bytes8(self) -> bytes:
        """Eight bytes, big-endian: they sort as the stamps do."""
        return self.to_bytes(8, "big")

    def __str__(self) -> str:
        return f"{self.datetime:%Y-%m-%dT%H:%M:%S.%f}Z#{self.count:04x}"

    def __repr__(self) -> str:
        return f"HybridStamp({int(self):#018x})"
