"""Asyncio tasks that pend for long at the same place, and tasks that wait for each other."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from seawall.clock import Clock, SystemClock
from seawall.monitor.suspicion._stacks import Stack, awaits_of, loops_running, tasks_of, text_of
from seawall.patterns import Options, option


class PendingTask(NamedTuple):
    """A task that has not moved.

    Attributes:
        name: Of the task.
        seconds: Since when it has been seen pending there.
        stack: What it awaits, outermost first.
        waits_for: The tasks that it waits for, one for the other; names. Where the last is its own, nobody ever wakes.
    """

    name: str
    seconds: float
    stack: Stack
    waits_for: tuple[str, ...]

    @property
    def circular(self) -> bool:
        """Whether it waits for itself."""
        return bool(self.waits_for) and self.waits_for[-1] == self.name

    def __str__(self) -> str:
        tasks = f", waits for task {', which waits for task '.join(self.waits_for)}" if self.waits_for else ""
        return f"Task {self.name} has pended here for {self.seconds:.0f} s{tasks}:\n{text_of(self.stack)}"


class TaskOptions(Options):
    """When a task counts as pending for ever."""

    after: float | timedelta = option(
        default=300.0, unit="s", above=0, most=86_400 * 7, help="seen at the same place for so long"
    )


class _Seen(NamedTuple):
    stack: Stack
    switches: object
    since: float


class PendingTasks:
    """Looks what asyncio's tasks await, and suspects those that pend at the same place for long.

    Servers have tasks that wait for ever with good reason, such as accept loops: name them in `ignore`. A task that
    loops around one `await` shows the same place at every look; it is told apart by the future that it awaits.

    Thread safety: any thread, one look at a time.

    Args:
        after: Seconds.
        ignore: Names of tasks, or of their coroutines' functions, that may pend.
        loops: Whose tasks are looked at, besides those of asyncio's own loops that run.
        clock: Where time comes from.
    """

    def __init__(
        self,
        *,
        after: float | timedelta = 300.0,
        ignore: Iterable[str] = (),
        loops: Iterable[asyncio.AbstractEventLoop] = (),
        clock: Clock | None = None,
    ) -> None:
        self.options = TaskOptions(after=after)
        self._after = float(self.options.after)  # type: ignore[arg-type]  # kept as seconds
        self._ignore, self._loops = frozenset(ignore), tuple(loops)
        self._clock = clock or SystemClock()
        self._seen: weakref.WeakKeyDictionary[asyncio.Task[Any], _Seen] = weakref.WeakKeyDictionary()

    def look(self) -> tuple[PendingTask, ...]:
        """The tasks that have pended for long enough, those that have longest first. Call it every few seconds."""
        now, found = self._clock.now_ns() / 1e9, []
        for task in tasks_of([*self._loops, *loops_running(sys._current_frames().values())]):
            stack, waiter = awaits_of(task), _waiter_of(task)
            before = self._seen.get(task)
            same = before is not None and (before.stack, before.switches) == (stack, waiter)
            seen = before if same and before is not None else _Seen(stack, waiter, now)
            self._seen[task] = seen
            if now - seen.since >= self._after and not self._may_pend(task):
                found.append(PendingTask(task.get_name(), now - seen.since, stack, _chain(task)))
        return tuple(sorted(found, key=lambda task: -task.seconds))

    def _may_pend(self, task: asyncio.Task[Any]) -> bool:
        names = {
            task.get_name(),
            getattr(task.get_coro(), "__qualname__", ""),
            getattr(task.get_coro(), "__name__", ""),
        }
        return not self._ignore.isdisjoint(names)


def _waiter_of(task: asyncio.Task[Any]) -> object:
    """What a task waits for, not kept alive: the next future could else seem to be the same one."""
    waiter = getattr(task, "_fut_waiter", None)
    return None if waiter is None else weakref.ref(waiter)


def _chain(task: asyncio.Task[Any]) -> tuple[str, ...]:
    """The tasks that a task waits for, until one waits for none, or all have been seen."""
    names, seen, here = [], {task}, getattr(task, "_fut_waiter", None)
    while isinstance(here, asyncio.Task):
        names.append(here.get_name())
        if here in seen:
            break
        seen.add(here)
        here = getattr(here, "_fut_waiter", None)
    return tuple(names)
