"""Which event loops run in which threads, and what their tasks are."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def runs_loop(code: CodeType) -> bool:
    """Whether a function is one that runs an event loop and knows it."""
    # Names first: most functions have others, and asyncio may not be there at all.
    return code.co_name in ("run", "run_forever") and code in _runners()


def loop_in(frame: FrameType | None) -> asyncio.AbstractEventLoop | None:
    """The innermost loop that runs in a stack."""
    while frame is not None:
        if runs_loop(frame.f_code):
            owner: Any = frame.f_locals.get("self")
            found: asyncio.AbstractEventLoop | None = getattr(owner, "_loop", owner)
            return found
        frame = frame.f_back
    return None


class RunningLoops:
    """Loops by thread, held weakly, and those that were named."""

    def __init__(self, named: Iterable[asyncio.AbstractEventLoop]) -> None:
        self._named = weakref.WeakSet(named)
        self._found: dict[int, weakref.ref[asyncio.AbstractEventLoop]] = {}

    def in_thread(self, ident: int, frame: FrameType) -> None:
        """A loop runs in this thread; which one is looked up where it is not known."""
        known = self._found.get(ident)
        loop = known() if known is not None else None
        if loop is None or not loop.is_running():
            loop = loop_in(frame)
            if loop is not None:
                self._found[ident] = weakref.ref(loop)

    def forget(self, idents: Iterable[int]) -> None:
        """Threads that have ended."""
        for ident in idents:
            self._found.pop(ident, None)

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks of all loops that are open."""
        loops = dict.fromkeys([*self._named, *(loop for ref in self._found.values() if (loop := ref()) is not None)])
        return [task for loop in loops if not loop.is_closed() for task in tasks_of(loop)]


def tasks_of(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    """The tasks of a loop, asked from any thread."""
    import asyncio

    try:
        return asyncio.all_tasks(loop)
    except RuntimeError:  # they come and go faster than they are listed
        return set()


def _runners() -> tuple[CodeType, ...]:
    base, runners = sys.modules.get("asyncio.base_events"), sys.modules.get("asyncio.runners")
    found = []
    if base is not None:
        found.append(base.BaseEventLoop.run_forever.__code__)
    if runners is not None:
        found.append(runners.Runner.run.__code__)
    return tuple(found)
