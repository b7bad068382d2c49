"""One look at all threads, or at all tasks."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from random import Random
from types import FrameType
from typing import TYPE_CHECKING

from seawall.observe.profiler import _cpu, _walk
from seawall.observe.profiler._loops import RunningLoops
from seawall.observe.profiler._options import ProfilerOptions
from seawall.observe.profiler._table import Count, StackTable

if TYPE_CHECKING:
    import asyncio

# A thread that used less than this part of a processor between two samples was waiting.
_BUSY = 20
_NUMBERS = re.compile(r"\d+")


class _Seen:
    """A thread as the last sample left it."""

    __slots__ = ("clock", "count", "cpu", "group", "ran", "round", "thread")

    def __init__(self, thread: threading.Thread | None, group: str, clock: int | None) -> None:
        self.thread = thread
        self.group = group
        self.clock = clock
        self.cpu = self.round = 0
        self.ran: int | None = None
        self.count: Count | None = None


class Sampler:
    """Looks, and adds what it saw to a table.

    Thread safety: none; whoever uses it holds a lock.

    Args:
        options: What to look at.
        loops: Event loops named beforehand.
        chance: Chooses among more tasks than are looked at.
        spent: Tells the processor time of a thread by its clock.
    """

    def __init__(
        self,
        options: ProfilerOptions,
        loops: Iterable[asyncio.AbstractEventLoop],
        chance: Random,
        spent: Callable[[int], int | None] = _cpu.spent,
    ) -> None:
        self.table = StackTable(options.max_stacks, options.max_depth)
        self.loops = RunningLoops(loops)
        self.unseen: set[int] = set()
        self._options = options
        self._chance = chance
        self._spent = spent
        self.threads: dict[int, _Seen] = {}
        self._round = 0

    def prime(self) -> None:
        """Note what threads have used already, so that only what they use from now on counts."""
        self._read_clocks(threading.enumerate())

    def look_at_threads(self, elapsed: int) -> None:
        """Count what all threads but this one do, each for the nanoseconds since the look before."""
        # Clocks before frames: what runs in between shows at the next look, never as a thread that stood still.
        self._read_clocks(threading.enumerate())
        frames = sys._current_frames()
        self._forget_ended(frames)
        own = threading.get_ident()
        for ident, frame in frames.items():
            if ident != own and ident not in self.unseen:
                self._count(ident, frame, elapsed)

    def look_at_tasks(self, elapsed: int) -> None:
        """Count where tasks wait, each for the nanoseconds since the look before."""
        tasks = self.loops.tasks()
        most, stands_for = self._options.max_tasks, 1.0
        if len(tasks) > most:
            stands_for = len(tasks) / most
            tasks = self._chance.sample(tasks, most)
        wall = round(elapsed * stands_for)
        for task in tasks:
            count = _walk.task(self.table, task.get_coro(), "tasks")
            if count is not None:
                count.samples += 1
                count.wall += wall
                count.waiting += wall

    def _count(self, ident: int, frame: FrameType, elapsed: int) -> None:
        seen = self.threads.get(ident)
        # Not started by threading, whoever had its number before.
        if seen is None or (seen.thread is not None and seen.round != self._round):
            seen = self.threads[ident] = _Seen(None, "(foreign thread)", None)
        count = seen.count
        # A thread that has not run at all since the look before is where it was.
        if count is None or seen.ran != 0:
            count = seen.count = _walk.thread(self.table, frame, seen.group)
        if count.has_loop and self._options.tasks:
            self.loops.in_thread(ident, frame)
        count.samples += 1
        count.wall += elapsed
        if seen.ran is not None:
            count.cpu += seen.ran
            if seen.ran * _BUSY < elapsed:
                count.waiting += elapsed

    def _read_clocks(self, threads: Iterable[threading.Thread]) -> None:
        self._round += 1
        for thread in threads:
            ident, native = thread.ident, thread.native_id
            if ident is None:
                continue
            seen = self.threads.get(ident)
            if seen is None or seen.thread is not thread:
                clock = _cpu.clock_of(native) if native is not None and _cpu.AVAILABLE else None
                seen = self.threads[ident] = _Seen(thread, self._group(thread.name), clock)
            seen.round = self._round
            if seen.clock is not None:
                cpu = self._spent(seen.clock)
                seen.ran = None if cpu is None else max(cpu - seen.cpu, 0)
                seen.cpu = seen.cpu if cpu is None else cpu

    def _group(self, name: str) -> str:
        return name if self._options.split_threads else _NUMBERS.sub("*", name)

    def _forget_ended(self, frames: Mapping[int, FrameType]) -> None:
        if len(self.threads) > len(frames):
            ended = [ident for ident in self.threads if ident not in frames]
            for ident in ended:
                del self.threads[ident]
            self.loops.forget(ended)
