"""Collapsed stacks: a line each, for flamegraph.pl and its kin."""

from __future__ import annotations

from seawall.observe.profiler._profile import Profile
from seawall.observe.profiler._stack import Frame, Stack


def collapsed(profile: Profile, kind: str | None) -> str:
    """All stacks that have a number of this kind, the same line once."""
    i = profile.index(kind)
    sums: dict[str, int] = {}
    for stack, values in profile.stacks.items():
        if values[i]:
            line = names_of(stack)
            sums[line] = sums.get(line, 0) + values[i]
    return "".join(f"{line} {value}\n" for line, value in sorted(sums.items()))


def names_of(stack: Stack) -> str:
    """A stack as a line, without its number."""
    return ";".join(_clean(name) for name in (stack.group, *map(name_of, stack.frames)))


def name_of(frame: Frame) -> str:
    """A frame in words: the function, with file and line where they are known."""
    place = frame.file.rpartition("/")[2]
    return f"{frame.function} ({place}:{frame.line})" if place else frame.function


def _clean(name: str) -> str:
    # Semicolons part frames and lines part stacks; a lone surrogate of a file name could not be written.
    flat = " ".join(name.replace(";", ",").split())
    return flat.encode("utf-8", "replace").decode("utf-8") or "?"
