"""Protocol Buffers on the wire: as much as a few messages need that have no library everywhere.

Source: the encoding of Protocol Buffers, protobuf.dev.
"""

from __future__ import annotations

import struct

_VARINT, _FIXED64, _BYTES = 0, 1, 2


def varint(value: int) -> bytes:
    """A whole number from 0, in as few bytes as it takes."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> int:
    """A signed number as sint32 and sint64 have it."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def whole(field: int, value: int) -> bytes:
    """A field of type uint64, int64 or an enumeration."""
    return varint(field << 3 | _VARINT) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def signed(field: int, value: int) -> bytes:
    """A field of type sint64."""
    return whole(field, zigzag(value))


def double(field: int, value: float) -> bytes:
    """A field of type double."""
    return varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def chunk(field: int, value: bytes) -> bytes:
    """A field of type bytes, or a message."""
    return varint(field << 3 | _BYTES) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A field of type string."""
    return chunk(field, value.encode("utf-8", "replace"))
