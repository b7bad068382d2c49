"""Calls made in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from seawall.measure.load._outcomes import DONE, TIMED_OUT, Answer, failed
from seawall.measure.load.drive._driver import Driver, Work
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._callable import entered
from seawall.measure.load.target._feed import FeedEnded

# Looks at the plan at least this often, in seconds, so that a stop is noticed during long silences.
_NAP = 0.05
# Starts at most this many due calls before the event loop may read answers.
_BURST = 32
_NEVER = float("inf")


class _Place:
    """Room for one call at a time, with the state that a worker made for it."""

    __slots__ = ("leave", "number", "overdue", "ready", "row", "started", "state", "task")

    def __init__(self, *, ready: bool) -> None:
        self.ready = ready
        self.number = 0
        self.state: Any = None
        self.row: Any = None
        self.leave: Callable[[], Any] | None = None
        self.task: asyncio.Task[None] | None = None
        self.started = _NEVER
        self.overdue = False


class AsyncDriver(Driver):
    """Calls made as tasks of the event loop. Made and used inside one event loop.

    Cost: about 10 us a call, besides what the target does.
    """

    def __init__(self, caller: Caller, work: Work) -> None:
        self.engine = caller.engine
        self._call = caller.call
        self._bounded = caller.bounded
        self._stream, self._bounds = work.stream, work.bounds
        self._record, self._tally = work.record, work.record.tally
        self._worker, self._rows = work.worker, work.rows
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._numbers = count(self._stream.first, self._stream.stride)
        self._due: list[float] = []
        self._next = 0
        self._idle: list[_Place] = []
        self._places: list[_Place] = []
        self._busy: set[_Place] = set()
        self._timer: asyncio.Handle | None = None
        self._held_until, self._line_held = 0.0, False
        self._last = -1.0
        self._started_all = self._cut = False
        self._changed = asyncio.Event()
        self._crash: BaseException | None = None

    @property
    def under_way(self) -> int:
        """Calls started and not ended."""
        return len(self._busy)

    async def run(self, stop: asyncio.Event) -> bool:
        """Make all calls and wait for their ends; whether the plan was done."""
        stopper = asyncio.create_task(stop.wait())
        watcher = asyncio.create_task(self._watch())
        try:
            self._begin()
            await asyncio.wait({stopper, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if watcher.done():
                watcher.result()
        finally:
            self._cut = True
            if self._timer is not None:
                self._timer.cancel()
            rest = [stopper, watcher, *(place.task for place in self._busy if place.task is not None)]
            done = self._started_all and not self._busy
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            await self._leave()
        if self._crash is not None:
            raise self._crash
        return done

    async def _watch(self) -> None:
        """Until everything ended, or the run should end early."""
        while not (self._started_all and not self._busy) and self._crash is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_NAP):
                    await self._changed.wait()
            self._changed.clear()
            self._cut_overdue()
            if self._bounds.enough():
                return

    # --- open model -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._bounds.closed is not None:
            self._begin_users(self._bounds.closed.users, self._bounds.closed.think)
        else:
            self._timer = self._loop.call_at(self._bounds.zero, self._pump)

    def _pump(self) -> None:
        """Start what is due, then sleep until the next."""
        if self._cut or self._started_all:
            return
        for _ in range(_BURST):
            due = self._peek()
            now = self._clock() - self._bounds.zero
            if due is None or now > self._bounds.until:
                self._finish_starting()
                return
            if due > now:
                self._timer = self._loop.call_at(self._bounds.zero + min(due, self._bounds.until) + 1e-6, self._pump)
                return
            place = self._free_place()
            if place is None:
                # What is done next is done when a call ends; the bound on time is kept by the timer.
                self._line_held = True
                self._timer = self._loop.call_at(self._bounds.zero + self._bounds.until, self._pump)
                return
            if not self._take_row(place):
                self._idle.append(place)
                self._finish_starting()
                return
            self._next += 1
            self._last = due
            # Whatever was due while the bound held the line back was held back with it, even if places are free now.
            self._start(place, due, late=due < self._held_until)
        self._timer = self._loop.call_soon(self._pump)

    def _peek(self) -> float | None:
        if self._next >= len(self._due):
            block = self._stream.take(self._clock() - self._bounds.zero)
            if block is None:
                return None
            self._due, self._next = block.tolist(), 0
        return self._due[self._next]

    def _free_place(self) -> _Place | None:
        if self._idle:
            return self._idle.pop()
        if len(self._places) < self._bounds.places:
            self._places.append(_Place(ready=self._worker is None))
            return self._places[-1]
        return None

    def _take_row(self, place: _Place) -> bool:
        place.number = next(self._numbers)
        if self._rows is None:
            return True
        try:
            place.row = self._rows(place.number)
        except FeedEnded:
            # What was due after the last row was never part of the run.
            self._stream.close(self._last)
            return False
        return True

    def _start(self, place: _Place, due: float, *, late: bool) -> None:
        self._busy.add(place)
        place.task = self._loop.create_task(self._one(place, due, late))

    async def _one(self, place: _Place, due: float, late: bool) -> None:
        try:
            if not place.ready:
                await self._enter(place)
                late = True
            await self._measure(place, due, late)
        except asyncio.CancelledError:
            if not self._cut:
                raise
        except BaseException as error:  # noqa: BLE001  # a worker that cannot be made, or the interpreter's own end
            self._crash = self._crash or error
        finally:
            self._release(place)

    async def _measure(self, place: _Place, due: float, late: bool) -> None:
        """One call: what it took, and what became of it."""
        zero = self._bounds.zero
        started = place.started = self._clock() - zero
        self._tally.start(due, started, late)
        try:
            answer = await self._call(place.number, place.state, place.row)
        except asyncio.CancelledError:
            if not place.overdue:
                raise
            answer = TIMED_OUT
        except Exception as error:  # noqa: BLE001  # whatever the target raises is what became of the call
            answer = failed(error)
        ended = self._clock() - zero
        if answer.__class__ is Answer:
            self._record.end(due, started, ended, answer)
        else:
            self._tally.end(due, started, ended, DONE)

    def _release(self, place: _Place) -> None:
        place.overdue, place.started = False, _NEVER
        self._busy.discard(place)
        self._idle.append(place)
        if self._line_held and not self._cut:
            self._held_until, self._line_held = self._clock() - self._bounds.zero, False
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_soon(self._pump)
        if self._started_all and not self._busy:
            self._changed.set()

    def _finish_starting(self) -> None:
        self._started_all = True
        self._changed.set()

    # --- closed model ---------------------------------------------------------------------------------------------

    def _begin_users(self, users: int, think: float) -> None:
        mine = len(range(self._stream.first, users, self._stream.stride))
        self._places = [_Place(ready=self._worker is None) for _ in range(mine)]
        for place in self._places:
            self._busy.add(place)
            place.task = self._loop.create_task(self._user(place, think))
        self._timer = self._loop.call_at(self._bounds.zero + self._bounds.end, self._finish_starting)

    async def _user(self, place: _Place, think: float) -> None:
        try:
            if not place.ready:
                await self._enter(place)
            await asyncio.sleep(self._bounds.zero - self._clock())
            while not self._started_all:
                if not self._take_row(place):
                    self._finish_starting()
                    return
                now = self._last = self._clock() - self._bounds.zero
                await self._measure(place, now, False)
                place.overdue, place.started = False, _NEVER
                # Even without a pause: a target that never waits must not keep the loop to itself.
                await asyncio.sleep(think)
        except asyncio.CancelledError:
            if not self._cut:
                raise
        except BaseException as error:  # noqa: BLE001  # as in the open model
            self._crash = self._crash or error
        finally:
            self._release(place)

    # --- places ---------------------------------------------------------------------------------------------------

    async def _enter(self, place: _Place) -> None:
        assert self._worker is not None
        place.state, place.leave = await entered(self._worker)
        place.ready = True

    async def _leave(self) -> None:
        for place in self._places:
            if place.leave is not None:
                left = place.leave()
                if isinstance(left, Awaitable):
                    await left

    def _cut_overdue(self) -> None:
        if self._bounded:
            return
        latest = self._clock() - self._bounds.zero - self._bounds.timeout
        for place in self._busy:
            if place.started <= latest and not place.overdue and place.task is not None:
                place.overdue = True
                place.task.cancel()
