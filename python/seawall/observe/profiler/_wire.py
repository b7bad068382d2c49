"""The part of the protocol buffers encoding that a profile needs: variable integers, and fields that hold bytes.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_MASK = (1 << 64) - 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}


def varint(value: int) -> bytes:
    """An integer in as few bytes as it needs; a negative one in ten."""
    value &= _MASK
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A field that holds an integer; nothing for 0, which is what a missing field means."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def block(field: int, content: bytes) -> bytes:
    """A field that holds a message or text."""
    return varint(field << 3 | _BYTES) + varint(len(content)) + content


def packed(field: int, values: Iterable[int]) -> bytes:
    """A field of many integers."""
    return block(field, b"".join(map(varint, values)))


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message in order.

    Raises:
        ValueError: It ends in the middle of one, or is no message.
    """
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = read_varint(data, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            length, at = read_varint(data, at)
        elif wire in _WIDTHS:
            length = _WIDTHS[wire]
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("cut short")
        if wire == _BYTES:
            yield key >> 3, data[at : at + length]
        at += length


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An integer, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("cut short")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & _MASK, at


def signed(value: int) -> int:
    """An int64 as it was meant."""
    return value - (1 << 64) if value >> 63 else value


def integers(value: int | bytes) -> list[int]:
    """A repeated integer, packed or not."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = read_varint(value, at)
        found.append(one)
    return found
