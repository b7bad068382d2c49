"""From a frame or a coroutine to its stack.

Each stack is read twice at most: once for a key, and, where the key is new, once more with the code objects. The second
reading makes a key of its own, as the thread may have gone on in between.
"""

from __future__ import annotations

from types import CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

from seawall._core.sampling import trace
from seawall.observe.profiler import _loops
from seawall.observe.profiler._table import Count, StackTable, trace_of


def thread(table: StackTable, frame: FrameType, group: str) -> Count:
    """The counts of the stack that ends in a frame."""
    return table.find(("thread", group, trace(frame, table.max_depth))) or _new_thread(table, frame, group)


def _new_thread(table: StackTable, frame: FrameType, group: str) -> Count:
    seen: list[tuple[CodeType, int]] = []
    loop = False
    at: FrameType | None = frame
    while len(seen) < table.max_depth and at is not None:
        seen.append((at.f_code, at.f_lasti))
        loop = loop or _loops.runs_loop(at.f_code)
        at = at.f_back
    return table.add("thread", group, seen, cut=at is not None, loop=loop)


def task(table: StackTable, coroutine: object, group: str) -> Count | None:
    """The counts of where a suspended coroutine waits; None when it runs, has ended or shows nothing of itself."""
    seen = awaits(coroutine)
    if not seen:
        return None
    cut = len(seen) > table.max_depth
    seen = seen[-table.max_depth :][::-1]
    return table.find(("task", group, trace_of(seen, cut=cut))) or table.add("task", group, seen, cut=cut)


def awaits(coroutine: object) -> list[tuple[CodeType, int]]:
    """Where a coroutine waits, and what it awaits, outermost first; empty when it runs or has ended.

    Objects of other kinds end the chain: a future, or the step of an asynchronous generator, which hides its generator.
    """
    seen: list[tuple[CodeType, int]] = []
    at: Any = coroutine
    # A chain that was changed while it was read could otherwise be followed for ever.
    for _ in range(10_000):
        kind = type(at)
        if kind is CoroutineType:  # nearly always
            frame, running, after = at.cr_frame, at.cr_running, at.cr_await
        else:
            frame, running, after = _parts(at)
        if running:
            return []
        if frame is None:
            break
        seen.append((frame.f_code, frame.f_lasti))
        at = after
    return seen


def _parts(at: Any) -> tuple[FrameType | None, bool, object]:
    if isinstance(at, GeneratorType):
        return at.gi_frame, at.gi_running, at.gi_yieldfrom
    # Compiled coroutines look like Python's, but have types of their own.
    for prefix in ("cr_", "ag_"):
        frame = getattr(at, prefix + "frame", None)
        if frame is not None:
            return frame, getattr(at, prefix + "running", False), getattr(at, prefix + "await", None)
    return None, False, None
