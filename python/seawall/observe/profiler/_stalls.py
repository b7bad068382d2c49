"""The stall detector: sees that an event loop does not run, and where its thread is while it does not."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType, TracebackType

from seawall.clock import Bell, Clock, SystemClock, to_ns
from seawall.errors import ConfigError
from seawall.observe.profiler._events import Stall
from seawall.observe.profiler._options import StallOptions
from seawall.observe.profiler._stack import Frame
from seawall.observe.profiler._stall_watch import StallWatch
from seawall.observe.profiler._table import line_of
from seawall.patterns import Signal

# The watchdog looks this many times within a threshold, and the loop comes round as often.
_LOOKS = 4
_DEEPEST = 256
_UNSEEN = Frame("(it ran again before its stack was seen)")
_MORE = Frame("(places beyond the limit)")


@dataclass(frozen=True, slots=True)
class StallStats:
    """What a detector has seen.

    Args:
        loops: Watched now.
        stalls: Stalls that were noticed, the one that goes on included.
        seconds: How long those took that have ended.
        longest: The longest of them.
        places: The innermost frame when the stall was noticed, how often and for how many seconds, longest first.
    """

    loops: int
    stalls: int
    seconds: float
    longest: float
    places: tuple[tuple[Frame, int, float], ...]


class _Watched:
    """A loop, the machine that judges it, and what was captured."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, watch: StallWatch) -> None:
        self.loop = weakref.ref(loop)
        self.name = name
        self.watch = watch
        self.thread = 0
        self.task = ""
        self.captures: list[tuple[Frame, ...]] = []
        self.held = 0
        self.timer: asyncio.TimerHandle | None = None
        self.gone = False


class StallDetector:
    """Watches event loops from a thread of its own and says which code keeps them from running.

    `stalled` is sent while the loop is blocked, with the stack that blocks it, and `ended` when it runs again.
    Receivers run in the detector's thread, never in the loop.

    Guarantees: a loop that waits for work is not stalled, nor is one that was stopped. Memory is bounded by
    `max_places`. A forked child is not watched.

    Thread safety: yes. Cost: the loop wakes four times a threshold and stores a number.

    Args:
        threshold: How long a loop may not run, 0.001 to 3,600 s.
        max_captures: Stacks captured of one stall, at doubling times.
        max_places: Blocking lines counted apart.
        clock: What time is measured by.

    Raises:
        ConfigError: An option is out of range.

    Example:
        >>> async def main() -> int:
        ...     with StallDetector(0.5) as detector:
        ...         detector.watch()
        ...         return detector.stats().loops
        >>> asyncio.run(main())
        1
    """

    def __init__(
        self,
        threshold: float | timedelta = 0.1,
        *,
        max_captures: int = 4,
        max_places: int = 100,
        clock: Clock | None = None,
    ) -> None:
        self.options = StallOptions(threshold=threshold, max_captures=max_captures, max_places=max_places)
        self.stalled: Signal[Stall] = Signal("loop.stalled", Stall)
        self.ended: Signal[Stall] = Signal("loop.ended", Stall)
        self._clock = SystemClock() if clock is None else clock
        self._threshold = to_ns(self.options.threshold, "threshold")
        self._tick = self._threshold // _LOOKS
        self._begin()
        _ALL.add(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._watched: dict[int, _Watched] = {}
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._last = self._clock.now_ns()
        self._places: dict[Frame, list[float]] = {}
        self._stalls = 0
        self._seconds = self._longest = 0.0

    def watch(self, loop: asyncio.AbstractEventLoop | None = None, *, name: str = "") -> None:
        """Watch a loop, by default the one that runs here; again does nothing. May be called from any thread.

        Args:
            loop: The loop; forgotten when it is closed.
            name: What events call it; by default `loop-1` and so on.

        Raises:
            ConfigError: No loop was given and none runs here, or it is closed.
        """
        if loop is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                raise ConfigError(
                    "no event loop runs here; give the loop, or call watch() inside a coroutine"
                ) from None
        if loop.is_closed():
            raise ConfigError("this event loop is closed; watch it while it is open")
        with self._lock:
            known = self._watched.get(id(loop))
            if known is not None and known.loop() is loop:
                return
            machine = StallWatch(self._threshold, self._tick, self.options.max_captures, self._clock.now_ns())
            watched = _Watched(loop, name or f"loop-{len(self._watched) + 1}", machine)
            self._watched[id(loop)] = watched
        loop.call_soon_threadsafe(self._beat, watched)

    def unwatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch it no longer; nothing when it was not watched."""
        with self._lock:
            watched = self._watched.pop(id(loop), None)
        if watched is not None:
            watched.gone = True

    def start(self) -> None:
        """Begin to look; nothing when it looks already."""
        with self._lock:
            if self._thread is None:
                self._bell = Bell()
                self._last = self._clock.now_ns()
                self._thread = threading.Thread(target=self._work, name="seawall-stalls", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Look no longer, and let the loops go."""
        with self._lock:
            thread, self._thread = self._thread, None
            for watched in self._watched.values():
                watched.gone = True
            self._watched = {}
        self._bell.ring()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def stats(self) -> StallStats:
        """What was seen so far."""
        with self._lock:
            ranked = sorted(self._places.items(), key=lambda place: -place[1][1])
            places = tuple((frame, int(count), seconds) for frame, (count, seconds) in ranked)
            return StallStats(len(self._watched), self._stalls, self._seconds, self._longest, places)

    def check(self, now: int | None = None) -> None:
        """One look at all loops; what the thread does again and again, for who drives it by hand.

        Args:
            now: The time in nanoseconds of the clock.
        """
        now = self._clock.now_ns() if now is None else now
        with self._lock:
            late, self._last = max(now - self._last - 2 * self._tick, 0), now
            watched = list(self._watched.items())
        for key, one in watched:
            loop = one.loop()
            if loop is None or loop.is_closed():
                with self._lock:
                    self._watched.pop(key, None)
            else:
                self._judge(one, loop, now, late)

    def _judge(self, one: _Watched, loop: asyncio.AbstractEventLoop, now: int, late: int) -> None:
        step = one.watch.step(now, running=loop.is_running())
        if step == "capture":
            if not one.captures:
                one.task = _task_of(loop)
            one.held += late
            stack = _stack_of(one.thread)
            if not one.watch.came_round:  # else that stack is another's
                one.captures.append(stack)
            self._note(one, new=one.watch.captured == 1)
            if self.stalled and one.watch.captured == 1:
                self.stalled.send(self._event(one, one.watch.stalled_for(now), ended=False))
        elif step == "wait":
            one.held += late
        elif step == "ended":
            event = self._event(one, one.watch.ended_after, ended=True)
            self._close(one, event)
            if self.ended:
                self.ended.send(event)

    def _event(self, one: _Watched, ns: int, *, ended: bool) -> Stall:
        captures = tuple(one.captures)
        stack = captures[-1] if captures else ()
        return Stall(one.name, ns / 1e9, stack, captures, one.task, ended, one.held / 1e9)

    def _note(self, one: _Watched, *, new: bool) -> None:
        if new:
            with self._lock:
                self._stalls += 1
                self._place(one)[0] += 1

    def _close(self, one: _Watched, event: Stall) -> None:
        with self._lock:
            self._seconds += event.seconds
            self._longest = max(self._longest, event.seconds)
            self._place(one)[1] += event.seconds
        one.captures, one.task, one.held = [], "", 0

    def _place(self, one: _Watched) -> list[float]:
        stack = one.captures[0] if one.captures else ()
        place = stack[-1] if stack else _UNSEEN
        if place not in self._places and len(self._places) >= self.options.max_places:
            place = _MORE
        return self._places.setdefault(place, [0.0, 0.0])

    def _beat(self, one: _Watched) -> None:
        # All that the loop itself has to do.
        loop = one.loop()
        if one.gone or loop is None or loop.is_closed():
            return
        one.thread = threading.get_ident()
        one.watch.beat = self._clock.now_ns()
        one.timer = loop.call_later(self._tick / 1e9, self._beat, one)

    def _work(self) -> None:
        me, bell = threading.current_thread(), self._bell
        while self._thread is me:
            self._clock.park(bell, self._clock.now_ns() + self._tick)
            if self._thread is me:
                self.check()

    def __enter__(self) -> StallDetector:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self._thread is not None else "not running"
        return f"<StallDetector, threshold {self._threshold / 1e9:g} s, {len(self._watched)} loops, {state}>"


def _stack_of(thread: int) -> tuple[Frame, ...]:
    frame: FrameType | None = sys._current_frames().get(thread)
    frames: list[Frame] = []
    while frame is not None and len(frames) < _DEEPEST:
        code = frame.f_code
        frames.append(Frame(code.co_qualname, code.co_filename, line_of(code, frame.f_lasti), code.co_firstlineno))
        frame = frame.f_back
    return tuple(reversed(frames))


def _task_of(loop: asyncio.AbstractEventLoop) -> str:
    task = asyncio.current_task(loop)
    return "" if task is None else task.get_name()


_ALL: weakref.WeakSet[StallDetector] = weakref.WeakSet()


def _forget() -> None:
    # The thread that looked is not in the child, and may have held the lock.
    for detector in list(_ALL):
        detector._begin()


os.register_at_fork(after_in_child=_forget)
