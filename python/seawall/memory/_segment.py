"""The face of segments: names, sizes and the cache of what this process has mapped."""

from __future__ import annotations

import os
import re
import sys
import weakref
from typing import Any, NamedTuple

from seawall._core import segment as _core
from seawall.errors import ConfigError, SegmentError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHARED_DIRECTORY = "/dev/shm"
_SMALLEST, _LARGEST = 16 * 1024, 1 << 40
DEFAULT_SIZE = 16 * 1024 * 1024


class SlotInfo(NamedTuple):
    """One slot of a segment: its name, what it holds, the version of its layout, and its size in bytes."""

    name: str
    kind: str
    layout: int
    bytes: int


class Segment(_core.Segment):
    """A named piece of memory shared by all processes of one user on one machine.

    Limits, counters and histograms live in named slots of it; whoever gives the same segment and slot name uses
    the same state. Space is reserved when the segment is created, readable and writable by its user only. A segment
    that outlived a reboot starts afresh. A process killed at any instruction leaves it usable.

    Thread safety: yes, also across fork. Cost: some system calls to attach.

    Args:
        name: Letters, digits, dot, dash and underscore, for a file in the shared memory directory; or a path with a
            slash, for a file anywhere.
        size: Bytes to reserve when the segment does not exist yet, 16 KiB to 1 TiB; 16 MiB by default. An existing
            segment keeps its size.

    Raises:
        ConfigError: The name or size can never work.
        SegmentError: The file is foreign, newer, truncated, another user's, or there is no space.

    Example:
        >>> segment = Segment("docs-example", size=64 * 1024)
        >>> segment.describe()
        ()
        >>> Segment.remove("docs-example")
        True
    """

    __slots__ = ("__weakref__", "name")

    name: str

    def __new__(cls, name: str, *, size: int = DEFAULT_SIZE) -> Segment:
        """Attach, or create with `size` bytes."""
        if isinstance(size, bool) or not isinstance(size, int):
            raise ConfigError(f"size must be a whole number of bytes, got {size!r}")
        if not _SMALLEST <= size <= _LARGEST:
            raise ConfigError(f"size must be {_SMALLEST} bytes to {_LARGEST} bytes, got {size}")
        return cls._map(name, size)

    @classmethod
    def attach(cls, name: str) -> Segment:
        """The existing segment `name`; SegmentError when there is none."""
        return cls._map(name, 0)

    @classmethod
    def named(cls, name: str) -> Segment:
        """The segment `name` as this process has it mapped, else `Segment(name)`. What `shared="name"` uses."""
        found = _mapped.get(name)
        if found is None:
            found = _mapped.setdefault(name, cls(name))
        return found

    @staticmethod
    def of(shared: Segment | str | None) -> Segment | None:
        """What an option `shared=` means: a segment, its name, or None for private state."""
        if shared is None or isinstance(shared, Segment):
            return shared
        if isinstance(shared, str):
            return Segment.named(shared)
        raise ConfigError(f"shared must be a Segment, its name or None, got {shared!r}")

    @classmethod
    def _map(cls, name: str, size: int) -> Segment:
        self = super().__new__(cls, _path(name), size)
        self.name = name
        return self

    def describe(self) -> tuple[SlotInfo, ...]:
        """What is inside, by name."""
        return tuple(sorted(SlotInfo(*one) for one in self.listing()))

    @staticmethod
    def remove(name: str) -> bool:
        """Delete the segment; False when there was none. Whoever is attached keeps the old one until letting go."""
        _mapped.pop(name, None)
        return bool(_core.remove_file(_path(name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Segment.attach, (self.name,)

    def __repr__(self) -> str:
        return f"<Segment {self.name!r} {self.used} of {self.size} bytes used, {len(self.listing())} slots>"


_mapped: weakref.WeakValueDictionary[str, Segment] = weakref.WeakValueDictionary()


def _path(name: str) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"a segment name is a str, got {name!r}")
    if "/" in name:
        if "\0" in name:
            raise ConfigError(f"a segment path has no NUL in it, got {name!r}")
        return os.path.abspath(name)
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"segment name {name!r} must be 1 to 64 letters, digits, dots, dashes or underscores; "
            "for a file elsewhere give a path with a slash"
        )
    if not os.path.isdir(_SHARED_DIRECTORY):
        raise SegmentError(f"{sys.platform} has no {_SHARED_DIRECTORY}; give the path of a file instead of {name!r}")
    return f"{_SHARED_DIRECTORY}/seawall-{os.geteuid()}-{name}"
