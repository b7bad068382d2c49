"""Profiles as pprof reads them.

Source: google/pprof, proto/profile.proto. Numbers of fields stand beside their names there.
"""

from __future__ import annotations

import gzip

from seawall.observe.profiler._profile import Profile
from seawall.observe.profiler._stack import Frame, Kind, Stack
from seawall.observe.profiler._wire import block, number, packed

# Labels of a sample.
THREAD, SORT = "thread", "sort"


def encode(profile: Profile) -> bytes:
    """The gzipped file. The same profile gives the same bytes."""
    book = _Book()
    parts = [block(1, book.kind(kind)) for kind in profile.kinds]
    for stack, values in profile.stacks.items():
        if any(values):
            parts.append(block(2, book.sample(stack, values)))
    parts += [block(4, location) for location in book.locations]
    parts += [block(5, function) for function in book.functions]
    parts += [number(9, round(profile.began * 1e9)), number(10, round(profile.seconds * 1e9))]
    sampling = profile.sampling
    if sampling is not None and sampling.rate > 0:
        parts += [block(11, book.kind(Kind("wall", "nanoseconds"))), number(12, round(1e9 / sampling.rate))]
        parts += [packed(13, map(book.text, sampling.doubts()))] if sampling.doubts() else []
    if profile.kinds:
        parts.append(number(14, book.text(profile.kinds[profile.index()].name)))
    # Last: all of the above may have added texts.
    parts += [block(6, text.encode("utf-8", "replace")) for text in book.texts]
    return gzip.compress(b"".join(parts), mtime=0)


class _Book:
    """Tables that samples refer to; numbers begin at 1, texts at 0 with the empty one."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {"": 0}
        self.locations: list[bytes] = []
        self.functions: list[bytes] = []
        self._places: dict[tuple[str, str, int, int], int] = {}
        self._called: dict[tuple[str, str, int], int] = {}

    def text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def kind(self, kind: Kind) -> bytes:
        return number(1, self.text(kind.name)) + number(2, self.text(kind.unit))

    def sample(self, stack: Stack, values: tuple[int, ...]) -> bytes:
        places = packed(1, (self._place(frame) for frame in reversed(stack.frames)))
        labels = b"".join(block(3, self._label(*pair)) for pair in ((THREAD, stack.group), (SORT, stack.sort)))
        return places + packed(2, values) + labels

    def _label(self, key: str, value: str) -> bytes:
        return number(1, self.text(key)) + number(2, self.text(value))

    def _place(self, frame: Frame) -> int:
        known = self._places.get(frame)
        if known is None:
            known = self._places[frame] = len(self._places) + 1
            line = number(1, self._function(frame)) + number(2, frame.line)
            self.locations.append(number(1, known) + block(4, line))
        return known

    def _function(self, frame: Frame) -> int:
        name = (frame.function, frame.file, frame.first_line)
        known = self._called.get(name)
        if known is None:
            known = self._called[name] = len(self._called) + 1
            text = self.text(frame.function)
            names = number(2, text) + number(3, text) + number(4, self.text(frame.file))
            self.functions.append(number(1, known) + names + number(5, frame.first_line))
        return known
