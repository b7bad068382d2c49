"""What every thread and every asyncio task is doing, as text."""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, NamedTuple

_DEEPEST = 200


class Place(NamedTuple):
    """A place in a stack."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        source = linecache.getline(self.file, self.line).strip()
        return f'  File "{self.file}", line {self.line}, in {self.function}' + (f"\n    {source}" if source else "")


Stack = tuple[Place, ...]
"""The outermost place first."""


def frames_of(frame: FrameType | None) -> list[FrameType]:
    """The frames of a stack, the innermost first."""
    found: list[FrameType] = []
    while frame is not None and len(found) < _DEEPEST:
        found.append(frame)
        frame = frame.f_back
    return found


def stack_of(frame: FrameType | None) -> Stack:
    """The places of a thread's stack."""
    return tuple(_place(each) for each in reversed(frames_of(frame)))


def awaits_of(task: asyncio.Task[Any]) -> Stack:
    """The places of a task's stack: of its coroutine, of what that awaits, and so on."""
    places: list[Place] = []
    waits: Any = task.get_coro()
    while waits is not None and len(places) < _DEEPEST:
        frame = next((f for name in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(waits, name, None))), None)
        if frame is None:
            break
        places.append(_place(frame))
        names = ("cr_await", "gi_yieldfrom", "ag_await")
        waits = next((w for name in names if (w := getattr(waits, name, None)) is not None), None)
    return tuple(places)


def loops_running(frames: Iterable[FrameType]) -> list[asyncio.AbstractEventLoop]:
    """The asyncio loops that run in some threads, told by their frames; not those of other libraries."""
    loops = []
    for frame in frames:
        for each in frames_of(frame):
            if each.f_code.co_name == "run_forever" and isinstance(
                loop := each.f_locals.get("self"), asyncio.AbstractEventLoop
            ):
                loops.append(loop)
    return loops


def tasks_of(loops: Iterable[asyncio.AbstractEventLoop]) -> Iterator[asyncio.Task[Any]]:
    """The tasks of loops that have not ended, by name."""
    for loop in dict.fromkeys(loops):
        yield from sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())


def thread_name(ident: int) -> str:
    """The name of a thread, and its identifier."""
    found = next((thread.name for thread in threading.enumerate() if thread.ident == ident), "unknown to threading")
    return f"{found} ({ident})"


def text_of(stack: Stack) -> str:
    """A stack as a traceback shows it."""
    return "\n".join(str(place) for place in stack) or "  (no Python frame)"


def stacks_text(loops: Iterable[asyncio.AbstractEventLoop] = ()) -> str:
    """The stacks of all threads, and of all tasks of asyncio's running loops and of `loops`.

    Like faulthandler's, with the names of threads and tasks, source lines, and what coroutines await.

    Thread safety: any thread; what runs meanwhile may have moved on between two stacks.

    Example:
        >>> "Thread MainThread" in stacks_text()
        True
    """
    frames = sys._current_frames()
    parts = [
        f"Thread {thread_name(ident)}, most recent call last:\n{text_of(stack_of(f))}" for ident, f in frames.items()
    ]
    found = [*loops, *loops_running(frames.values())]
    parts += [
        f"Task {task.get_name()}, most recent await last:\n{text_of(awaits_of(task))}" for task in tasks_of(found)
    ]
    return "\n\n".join(parts) + "\n"


def _place(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno or frame.f_code.co_firstlineno, frame.f_code.co_qualname)
