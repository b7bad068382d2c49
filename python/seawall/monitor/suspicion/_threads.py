"""Threads that stand at the same place for long, and threads that wait for each other."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from seawall.clock import Clock, SystemClock
from seawall.monitor.suspicion import _locks
from seawall.monitor.suspicion._stacks import Stack, frames_of, stack_of, text_of, thread_name
from seawall.patterns import Options, option

IDLE = (
    ("selectors.py", "select"),
    ("queue.py", "get"),
    ("concurrent/futures/thread.py", "_worker"),
    ("multiprocessing/connection.py", "wait"),
    ("multiprocessing/connection.py", "_recv"),
    ("socket.py", "accept"),
    ("socketserver.py", "serve_forever"),
    ("threading.py", "join"),
    ("seawall/clock/_clocks.py", "park"),
)
"""Where threads stand that have nothing to do: (end of the file's name, function), among the innermost four places."""

# A loop that is no Python, such as uvloop's, waits inside of this one; a callback that it runs has places further in.
_LOOPS = ("asyncio/runners.py", "asyncio/base_events.py")


class StuckThread(NamedTuple):
    """A thread that has not moved.

    Attributes:
        ident: Its identifier.
        name: Its name, for people.
        seconds: Since when it has been seen standing there.
        stack: Where.
        waits_for: The lock that it waits for, as the source calls it; None where none is known.
        owner: The thread that holds that lock; None where that is not known.
    """

    ident: int
    name: str
    seconds: float
    stack: Stack
    waits_for: str | None
    owner: int | None

    def __str__(self) -> str:
        lock = f", waits for {self.waits_for}" if self.waits_for else ""
        owner = f", which thread {thread_name(self.owner)} holds" if self.owner else ""
        return f"Thread {self.name} has stood here for {self.seconds:.0f} s{lock}{owner}:\n{text_of(self.stack)}"


class Deadlock(NamedTuple):
    """Threads each of which waits for a lock that the next one holds, the last for one of the first."""

    threads: tuple[StuckThread, ...]

    def __str__(self) -> str:
        head = f"{len(self.threads)} threads wait for each other"
        return "\n\n".join([head, *(str(thread) for thread in self.threads)])


class ThreadOptions(Options):
    """When a thread counts as stuck."""

    after: float | timedelta = option(
        default=60.0, unit="s", above=0, most=86_400, help="seen at the same place for so long"
    )


class _Seen(NamedTuple):
    place: object
    since: float


class _Standing(NamedTuple):
    frame: FrameType
    seconds: float
    lock: _locks.Lock | None


class StuckThreads:
    """Looks where threads stand, and suspects those that do not move.

    A thread that sleeps and wakes between two looks has moved: where the system tells (Linux), a thread stands only
    while it has not been given a processor. Threads at the places in `idle` wait for work; for a lock nobody waits
    idly. It is a suspicion: a deadlock is told apart only where the holders of locks are known.

    Thread safety: one look at a time.
    Cost: about 20 us a thread for a look, and the parsing of a source file the first time that a thread stands in it.

    Args:
        after: Seconds.
        idle: Where threads may stand, (end of the file's name, function).
        clock: Where time comes from.

    Example:
        >>> StuckThreads(after=30).look()
        ()
    """

    def __init__(
        self,
        *,
        after: float | timedelta = 60.0,
        idle: Iterable[tuple[str, str]] = IDLE,
        clock: Clock | None = None,
    ) -> None:
        self.options = ThreadOptions(after=after)
        self._after = float(self.options.after)  # type: ignore[arg-type]  # kept as seconds
        self._idle = tuple(idle)
        self._clock = clock or SystemClock()
        self._seen: dict[int, _Seen] = {}

    def look(self) -> tuple[StuckThread, ...]:
        """The threads that have stood still for long enough, the longest first. Call it every few seconds."""
        now = self._clock.now_ns() / 1e9
        frames = {ident: frame for ident, frame in sys._current_frames().items() if ident != threading.get_ident()}
        natives = {thread.ident: thread.native_id for thread in threading.enumerate()}
        seen: dict[int, _Seen] = {}
        for ident, frame in frames.items():
            place = (_place(frame), _switches(natives.get(ident)))
            before = self._seen.get(ident)
            seen[ident] = before if before is not None and before.place == place else _Seen(place, now)
        self._seen = seen
        standing = {
            ident: _Standing(frames[ident], now - each.since, _locks.waits_for(frames[ident]))
            for ident, each in seen.items()
            if now - each.since >= self._after
        }
        stuck = {
            ident: each for ident, each in standing.items() if each.lock is not None or not self._is_idle(each.frame)
        }
        told = [_told(ident, each, frames) for ident, each in stuck.items()]
        return tuple(sorted(told, key=lambda thread: -thread.seconds))

    def _is_idle(self, frame: FrameType) -> bool:
        if frame.f_code.co_filename.replace("\\", "/").endswith(_LOOPS):
            return True
        places = [(each.f_code.co_filename.replace("\\", "/"), each.f_code.co_name) for each in frames_of(frame)[:4]]
        return any(file.endswith(end) and name == function for file, name in places for end, function in self._idle)


def deadlocks(stuck: Iterable[StuckThread]) -> tuple[Deadlock, ...]:
    """The circles among stuck threads: each waits for what the next one holds. Pure."""
    by_ident = {thread.ident: thread for thread in stuck}
    found: dict[frozenset[int], Deadlock] = {}
    for thread in by_ident.values():
        path: list[int] = []
        here: int | None = thread.ident
        while here in by_ident and here not in path:
            assert here is not None
            path.append(here)
            here = by_ident[here].owner
        if here == thread.ident:
            found.setdefault(frozenset(path), Deadlock(tuple(by_ident[ident] for ident in path)))
    return tuple(found.values())


def _told(ident: int, standing: _Standing, frames: dict[int, FrameType]) -> StuckThread:
    lock = standing.lock
    owner = _owner(lock.lock, frames) if lock is not None else None
    name = lock.name if lock is not None else None
    return StuckThread(ident, thread_name(ident), standing.seconds, stack_of(standing.frame), name, owner)


def _owner(lock: object, frames: dict[int, FrameType]) -> int | None:
    told = _locks.owner_of(lock)
    if told is not None:
        return told
    for ident, frame in frames.items():  # the thread itself is among them: it may hold what it waits for
        if any(_locks.same(held.lock, lock) for held in _locks.holds(frames_of(frame))):
            return ident
    return None


def _place(frame: FrameType) -> object:
    return tuple((id(each.f_code), each.f_lasti) for each in frames_of(frame))


def _switches(native: int | None) -> str:
    """How often a thread has been given a processor, as the system writes it; empty where it does not say."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/self/task/{native}/schedstat").read_text().split()[2]
    return ""
