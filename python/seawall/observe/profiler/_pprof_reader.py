"""Profiles from pprof's files.

Source: google/pprof, proto/profile.proto.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import NamedTuple

from seawall.errors import ConfigError
from seawall.observe.profiler._pprof import SORT, THREAD
from seawall.observe.profiler._profile import Profile, Values
from seawall.observe.profiler._stack import Frame, Kind, Sort, Stack
from seawall.observe.profiler._wire import fields, integers, signed

_LARGEST = 1 << 29
_GZIP = 31
_Fields = dict[int, list[int | bytes]]


def decode(data: bytes) -> Profile:
    """The profile in a file, gzipped or not."""
    try:
        return _profile(_unzipped(data))
    except (ValueError, KeyError, IndexError, TypeError, zlib.error) as error:
        raise ConfigError(f"data must be a pprof profile, got {len(data):,} bytes that are none: {error}") from error


def _unzipped(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    inflate = zlib.decompressobj(_GZIP)
    plain = inflate.decompress(data, _LARGEST)
    if not inflate.eof:
        raise ValueError("cut short, or more than 512 MiB")
    return plain


class _Tables(NamedTuple):
    texts: list[str]
    frames: dict[int, list[Frame]]


def _profile(data: bytes) -> Profile:
    whole = _by_number(data)
    texts = [bytes(_content(text)).decode("utf-8", "replace") for text in whole.get(6, [])] or [""]
    functions = {_one(f, 1): f for f in map(_by_number, map(_content, whole.get(5, [])))}
    places = map(_by_number, map(_content, whole.get(4, [])))
    tables = _Tables(texts, {_one(place, 1): _frames(place, functions, texts) for place in places})
    kinds = tuple(_kind(_by_number(_content(kind)), texts) for kind in whole.get(1, []))
    if not kinds:
        raise ValueError("it counts nothing")
    stacks: dict[Stack, Values] = {}
    for content in whole.get(2, []):
        stack, values = _sample(_by_number(_content(content)), tables)
        if len(values) != len(kinds):
            raise ValueError("a sample has other numbers than the profile has kinds")
        there = stacks.get(stack, (0,) * len(kinds))
        stacks[stack] = tuple(a + b for a, b in zip(there, values, strict=True))
    return Profile(kinds, stacks, _one(whole, 9) / 1e9, _one(whole, 10) / 1e9)


def _sample(sample: _Fields, tables: _Tables) -> tuple[Stack, Values]:
    places = _all(sample.get(1, []))
    # Innermost first, and so are the lines of one place.
    frames = [frame for place in places for frame in tables.frames[place]][::-1]
    labels = {}
    for label in map(_by_number, map(_content, sample.get(3, []))):
        labels[tables.texts[_one(label, 1)]] = tables.texts[_one(label, 2)]
    sort: Sort = "task" if labels.get(SORT) == "task" else "memory" if labels.get(SORT) == "memory" else "thread"
    values = tuple(signed(value) for value in _all(sample.get(2, [])))
    return Stack(sort, labels.get(THREAD, ""), tuple(frames)), values


def _frames(place: _Fields, functions: dict[int, _Fields], texts: list[str]) -> list[Frame]:
    found = []
    for line in map(_by_number, map(_content, place.get(4, []))):
        function = functions[_one(line, 1)]
        names = texts[_one(function, 2)], texts[_one(function, 4)]
        found.append(Frame(*names, _one(line, 2), _one(function, 5)))
    return found or [Frame(f"0x{_one(place, 3) & ((1 << 64) - 1):x}")]


def _kind(kind: _Fields, texts: list[str]) -> Kind:
    return Kind(texts[_one(kind, 1)], texts[_one(kind, 2)])


def _by_number(data: bytes) -> _Fields:
    found: _Fields = {}
    for key, value in fields(data):
        found.setdefault(key, []).append(value)
    return found


def _one(message: _Fields, key: int) -> int:
    value = message.get(key, [0])[-1]
    if not isinstance(value, int):
        raise TypeError(f"field {key} is no number")
    return signed(value)


def _all(values: Iterable[int | bytes]) -> list[int]:
    return [one for value in values for one in integers(value)]


def _content(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number where a message belongs")
    return value
