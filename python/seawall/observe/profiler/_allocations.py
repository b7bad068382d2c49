"""Which lines hold memory: snapshots of tracemalloc, and how they differ."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from seawall.clock import WallClock
from seawall.errors import ConfigError
from seawall.observe.profiler._options import AllocationOptions
from seawall.observe.profiler._profile import Profile
from seawall.observe.profiler._stack import OBJECTS, SPACE, Frame, Stack

By = Literal["line", "file", "traceback"]
_WAYS: dict[str, str] = {"line": "lineno", "file": "filename", "traceback": "traceback"}
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """Memory that was allocated at one place and is still held.

    Args:
        file: The file; of a traceback, that of its innermost line.
        line: The line; 0 where whole files are told.
        space: Bytes.
        objects: Blocks of memory.
        more_space: Bytes more than in the snapshot it was compared with.
        more_objects: Blocks more.
        traceback: Lines as tracebacks show them, outermost first, where tracebacks are told.
    """

    file: str
    line: int
    space: int
    objects: int
    more_space: int = 0
    more_objects: int = 0
    traceback: tuple[str, ...] = ()


class Memory:
    """What was held at one moment; a value that does not change.

    Args:
        snapshot: Of tracemalloc.
        at: When, in seconds of Unix time.
        overhead: Bytes that tracing itself took.
    """

    def __init__(self, snapshot: tracemalloc.Snapshot, at: float, overhead: int) -> None:
        self.at = at
        self.overhead = overhead
        self._snapshot = snapshot

    @property
    def space(self) -> int:
        """Bytes held in all."""
        return sum(trace.size for trace in self._snapshot.traces)

    def top(self, n: int = 20, *, by: By = "line") -> list[Held]:
        """The places that hold most, most first."""
        return [_held(one) for one in self._snapshot.statistics(_way(by))[:n]]

    def diff(self, before: Memory, n: int = 20, *, by: By = "line") -> list[Held]:
        """The places where most was added since an earlier snapshot, or freed; the largest change first."""
        compared = self._snapshot.compare_to(before._snapshot, _way(by))
        return [_held(one) for one in compared if one.size_diff or one.count_diff][:n]

    def profile(self) -> Profile:
        """As a profile: bytes and objects by the stack that allocated them, for a flame graph or another tool.

        tracemalloc knows files and lines, no functions, so frames are named by lines.
        """
        stacks: dict[Stack, tuple[int, int]] = {}
        for trace in self._snapshot.traces:
            frames = tuple(_frame(frame.filename, frame.lineno) for frame in trace.traceback)
            stack = Stack("memory", "memory", frames)
            objects, space = stacks.get(stack, (0, 0))
            stacks[stack] = (objects + 1, space + trace.size)
        return Profile((OBJECTS, SPACE), stacks, self.at)

    def __repr__(self) -> str:
        return f"<Memory: {self.space:,} bytes in {len(self._snapshot.traces):,} blocks>"


class Allocations:
    """Remembers where memory was allocated, from `start` to `stop`.

    Guarantees: tracing that another part of the process has begun goes on when this one stops.

    Cost: every allocation costs about twice as much and some memory while it runs; more with more frames.

    Args:
        frames: Frames kept of each allocation, 1 to 256.

    Raises:
        ConfigError: `frames` is out of range.

    Example:
        >>> with Allocations() as allocations:
        ...     before = allocations.snapshot()
        ...     kept = [bytes(1000) for _ in range(100)]
        ...     after = allocations.snapshot()
        >>> after.diff(before)[0].more_space > 100_000
        True
    """

    def __init__(self, *, frames: int = 16) -> None:
        self.options = AllocationOptions(frames=frames)
        self._ours = False

    @property
    def running(self) -> bool:
        """Whether allocations are remembered, by whomever it was begun."""
        return tracemalloc.is_tracing()

    def start(self) -> None:
        """Begin; what was allocated before stays unknown. Nothing when it was begun."""
        if not tracemalloc.is_tracing():
            tracemalloc.start(self.options.frames)
            self._ours = True

    def stop(self) -> None:
        """End, and forget all traces, unless another has begun."""
        if self._ours:
            tracemalloc.stop()
            self._ours = False

    def snapshot(self) -> Memory:
        """What is held now, without what tracing itself holds.

        Cost: about a microsecond for each block that is held, in which no other thread runs.

        Raises:
            ConfigError: It was not started.
        """
        if not tracemalloc.is_tracing():
            raise ConfigError("allocations are not traced; start() first, as what was allocated before is not known")
        overhead = tracemalloc.get_tracemalloc_memory()
        own = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__))
        taken = tracemalloc.take_snapshot().filter_traces(own)
        return Memory(taken, WallClock().now_ns() / 1e9, overhead)

    def __enter__(self) -> Allocations:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Allocations, {self.options.frames} frames, {'running' if self.running else 'not running'}>"


def growth(snapshots: Sequence[Memory], n: int = 20, *, by: By = "line") -> list[Held]:
    """The places that held more in each snapshot than in the one before: what may leak, the fastest first.

    Args:
        snapshots: Three or more, in order.
        n: How many places.
        by: What a place is.

    Raises:
        ConfigError: There are fewer than three: any place that is busy grows once.
    """
    if len(snapshots) < 3:
        raise ConfigError(f"snapshots must be at least 3, got {len(snapshots)}; whatever is in use grows once")
    growing: set[tuple[object, ...]] | None = None
    for before, after in itertools.pairwise(snapshots):
        more = {_place(held) for held in after.diff(before, _MOST, by=by) if held.more_space > 0}
        growing = more if growing is None else growing & more
    whole = snapshots[-1].diff(snapshots[0], _MOST, by=by)
    found = [held for held in whole if growing and _place(held) in growing]
    return sorted(found, key=lambda held: (-held.more_space, held.file, held.line))[:n]


def _place(held: Held) -> tuple[object, ...]:
    return held.file, held.line, held.traceback


def _way(by: str) -> str:
    if by not in _WAYS:
        raise ConfigError(f"by must be 'line', 'file' or 'traceback', got {by!r}")
    return _WAYS[by]


def _held(one: tracemalloc.Statistic | tracemalloc.StatisticDiff) -> Held:
    last = one.traceback[-1]
    more = (one.size_diff, one.count_diff) if isinstance(one, tracemalloc.StatisticDiff) else (0, 0)
    lines = tuple(one.traceback.format()) if len(one.traceback) > 1 else ()
    return Held(last.filename, last.lineno, one.size, one.count, *more, lines)


def _frame(file: str, line: int) -> Frame:
    return Frame(f"{file.rpartition('/')[2]}:{line}", file, line, line)
