"""Counts by stack, bounded."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from types import CodeType

from seawall.observe.profiler._stack import DEEPER, OTHER, Frame, Sort, Stack

# Samples of one line stop at several instructions, each of which is a key.
_KEYS_A_STACK = 4
_MOST_GROUPS = 256

Key = tuple[Sort, str, bytes]
Seen = Sequence[tuple[CodeType, int]]
_MASK = (1 << 64) - 1


class Count:
    """What was counted for one stack: samples, and nanoseconds."""

    __slots__ = ("cpu", "has_loop", "samples", "waiting", "wall")

    def __init__(self) -> None:
        self.samples = self.wall = self.cpu = self.waiting = 0
        self.has_loop = False

    def values(self) -> tuple[int, int, int, int]:
        """Samples, wall, CPU, waiting."""
        return self.samples, self.wall, self.cpu, self.waiting


class StackTable:
    """Finds the counts of a stack by what a sample has at hand: code objects by address, and instructions.

    Guarantees: at most `max_stacks` stacks of at most `max_depth` frames, and one more for each group of threads (at
    most 256), which takes what is beyond. An address in use belongs to a code object that is held, so it is not
    another's.

    Args:
        max_stacks: Distinct stacks, by line.
        max_depth: Frames a stack.
    """

    def __init__(self, max_stacks: int, max_depth: int) -> None:
        self._max_stacks = max_stacks
        self._max_keys = max_stacks * _KEYS_A_STACK
        self.max_depth = max_depth
        self.counts: dict[Stack, Count] = {}
        self._groups: set[tuple[Sort, str]] = set()
        self._known: dict[Key, Count] = {}
        self._codes: dict[int, CodeType] = {}
        self._frames: dict[tuple[int, int], Frame] = {}

    def find(self, key: Key) -> Count | None:
        """The counts of a key that was added."""
        return self._known.get(key)

    def add(self, sort: Sort, group: str, seen: Seen, *, cut: bool, loop: bool = False) -> Count:
        """The counts of a stack, from now on found by its key.

        Args:
            sort: What stands there.
            group: Its name.
            seen: Code objects with the instruction each is at, innermost first.
            cut: Whether outer frames were left out.
            loop: Whether an event loop runs in it.
        """
        if len(self._known) >= self._max_keys:
            self._known.clear()
            self._codes.clear()
            self._frames.clear()
        frames = tuple(self._frame(code, at) for code, at in reversed(seen))
        count = self._count(Stack(sort, group, (DEEPER, *frames) if cut else frames))
        count.has_loop = loop
        self._known[sort, group, trace_of(seen, cut=cut)] = count
        return count

    def _count(self, stack: Stack) -> Count:
        count = self.counts.get(stack)
        if count is not None:
            return count
        if len(self.counts) - len(self._groups) < self._max_stacks:
            return self.counts.setdefault(stack, Count())
        group = (stack.sort, stack.group if len(self._groups) < _MOST_GROUPS else "(other)")
        beyond = Stack(*group, (OTHER,))
        if beyond not in self.counts:
            self._groups.add(group)
            self.counts[beyond] = Count()
        return self.counts[beyond]

    def _frame(self, code: CodeType, at: int) -> Frame:
        known = self._frames.get((id(code), at))
        if known is None:
            self._codes[id(code)] = code
            line = line_of(code, at)
            known = Frame(code.co_qualname, code.co_filename, line, code.co_firstlineno)
            self._frames[id(code), at] = known
        return known


def trace_of(seen: Seen, *, cut: bool) -> bytes:
    """What `seawall._core.sampling.trace` makes of the same stack."""
    words = [word for code, at in seen for word in (id(code), at & _MASK)]
    return struct.pack(f"={len(words) + 1}Q", *words, cut)


def line_of(code: CodeType, at: int) -> int:
    """The line of an instruction; of none, where the function begins."""
    for begin, end, line in code.co_lines():
        if begin <= at < end:
            return line or code.co_firstlineno
    return code.co_firstlineno
