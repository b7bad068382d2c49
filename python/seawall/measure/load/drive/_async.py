"""Calls made in the event loop."""

from __future__ import annotations

import asyncio
import contextlib

from seawall.measure.load.drive._driver import FEED_ENDED, Driver, Work
from seawall.measure.load.drive._places import Place, end_tasks, enter, leave_all
from seawall.measure.load.drive._queue import Queue
from seawall.measure.load.result._outcomes import DONE, TIMED_OUT, Answer, failed
from seawall.measure.load.target._call import Caller

# Looks at the plan at least this often, in seconds, so that a stop is noticed during long silences.
_NAP = 0.05
# Overdue calls are looked for at most this often, in seconds.
_SHORTEST_NAP = 0.001
# Starts at most this many due calls before the event loop may read answers.
_BURST = 32


class AsyncDriver(Driver):
    """Calls made as tasks of the event loop. Made and used inside one event loop.

    A call that outlasts the timeout is counted as one and cancelled; where it swallows that, its place is free again
    only when it ends, and the end of the run breaks it off.

    Cost: about 10 us a call, besides what the target does: a task, its coroutine, and four numbers.
    """

    def __init__(self, caller: Caller, work: Work) -> None:
        self.engine = caller.engine
        self._call = caller.call
        self._bounded = caller.bounded
        self._stream, self._bounds = work.stream, work.bounds
        self._record, self._tally = work.record, work.record.tally
        self._worker = work.worker
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._queue = Queue(work)
        self._idle: list[Place] = []
        self._places: list[Place] = []
        # Those that the run waits for; not those whose timeout was counted already.
        self._busy: set[Place] = set()
        self._timer: asyncio.Handle | None = None
        self._held_until, self._line_held = 0.0, False
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
            done = self._started_all and not self._busy
            self._cut, self.over = True, self._now()
            if self._timer is not None:
                self._timer.cancel()
            await end_tasks([stopper, watcher, *(place.task for place in self._places if place.task is not None)])
            self.trouble = await leave_all(self._places, self._bounds.timeout)
        if self._crash is not None:
            raise self._crash
        return done

    async def _watch(self) -> None:
        """Until everything ended, or the run should end early."""
        while not (self._started_all and not self._busy) and self._crash is None:
            nap = self._cut_overdue()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap):
                    await self._changed.wait()
            self._changed.clear()
            if self._bounds.enough():
                return

    def _now(self) -> float:
        return self._clock() - self._bounds.zero

    def _fail(self, error: BaseException) -> None:
        self._crash = self._crash or error
        self._changed.set()

    # --- open model -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._bounds.closed is not None:
            self._begin_users(self._bounds.closed.users, self._bounds.closed.think)
        else:
            self._timer = self._loop.call_at(self._bounds.zero, self._pump)

    def _pump(self) -> None:
        """Start what is due, then sleep until the next."""
        if self._cut or self._started_all or self._crash is not None:
            return
        try:
            self._start_due()
        except BaseException as error:  # noqa: BLE001  # a feed may raise anything, and nobody awaits a callback
            self._fail(error)

    def _start_due(self) -> None:
        for _ in range(_BURST):
            due = self._queue.peek(self._now())
            now = self._now()
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
                self._timer = self._loop.call_at(self._bounds.zero + self._bounds.until + 1e-6, self._pump)
                return
            if not self._fill(place):
                self._idle.append(place)
                self._finish_starting()
                return
            self._queue.pop()
            self._queue.last = due
            # Whatever was due while the bound held the line back was held back with it, even if places are free now.
            late = due < self._held_until
            self._busy.add(place)
            place.task = self._loop.create_task(self._one(place, due, late))
        self._timer = self._loop.call_soon(self._pump)

    def _free_place(self) -> Place | None:
        if self._idle:
            return self._idle.pop()
        if len(self._places) < self._bounds.places:
            self._places.append(Place(ready=self._worker is None))
            return self._places[-1]
        return None

    def _fill(self, place: Place) -> bool:
        if self._queue.fill(place):
            return True
        self.ended_early = FEED_ENDED
        return False

    async def _one(self, place: Place, due: float, late: bool) -> None:
        try:
            if not place.ready:
                await self._enter(place)
                if self._is_over():
                    return
                late = True
            await self._measure(place, due, late)
        except (asyncio.CancelledError, GeneratorExit):
            # Cut off by the end of the run.
            pass
        except BaseException as error:  # noqa: BLE001  # a worker that cannot be made, or the interpreter's own end
            self._fail(error)
        finally:
            self._release(place)

    async def _measure(self, place: Place, due: float, late: bool) -> None:
        """One call: what it took, and what became of it."""
        zero = self._bounds.zero
        place.due = due
        started = place.started = self._clock() - zero
        place.pending = True
        self._tally.start(due, started, late)
        try:
            answer = await self._call(place.number, place.state, place.row)
        except (asyncio.CancelledError, GeneratorExit) as error:
            if self._cut:
                raise
            # Ours, after the timeout was counted; or the target's own, and then that is what became of the call.
            answer = failed(error)
        except Exception as error:  # noqa: BLE001  # whatever the target raises is what became of the call
            answer = failed(error)
        if not place.pending:
            return
        place.pending = False
        ended = self._clock() - zero
        if answer.__class__ is Answer:
            self._record.end(due, started, ended, answer)
        else:
            self._tally.end(due, started, ended, DONE)

    def _release(self, place: Place) -> None:
        self._busy.discard(place)
        self._idle.append(place)
        if self._line_held and not self._cut:
            self._held_until, self._line_held = self._now(), False
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_soon(self._pump)
        self._tell_end()

    def _is_over(self) -> bool:
        """Whether no call is to begin any more, also not by what has swallowed the cancellation of the end."""
        return self._cut or (self._started_all and self._bounds.closed is not None)

    def _tell_end(self) -> None:
        if self._started_all and not self._busy:
            self._changed.set()

    def _finish_starting(self) -> None:
        self._started_all = True
        self._changed.set()

    # --- closed model ---------------------------------------------------------------------------------------------

    def _begin_users(self, users: int, think: float) -> None:
        mine = len(range(self._stream.first, users, self._stream.stride))
        self._places = [Place(ready=self._worker is None) for _ in range(mine)]
        for place in self._places:
            place.task = self._loop.create_task(self._user(place, think))
        self._timer = self._loop.call_at(self._bounds.zero + self._bounds.end, self._finish_starting)

    async def _user(self, place: Place, think: float) -> None:
        try:
            if not place.ready:
                await self._enter(place)
            await asyncio.sleep(-self._now())
            while not self._is_over():
                if not self._fill(place):
                    self._finish_starting()
                    return
                self._busy.add(place)
                await self._measure(place, self._now(), False)
                self._busy.discard(place)
                if place.overdue and place.task is not None:
                    place.overdue = False
                    place.task.uncancel()
                self._tell_end()
                # Even without a pause: a target that never waits must not keep the loop to itself.
                await asyncio.sleep(think)
        except (asyncio.CancelledError, GeneratorExit):
            pass
        except BaseException as error:  # noqa: BLE001  # as in the open model
            self._fail(error)
        finally:
            self._busy.discard(place)
            self._changed.set()

    # --- places ---------------------------------------------------------------------------------------------------

    async def _enter(self, place: Place) -> None:
        assert self._worker is not None
        try:
            await enter(place, self._worker, self._bounds.timeout)
        except asyncio.CancelledError as error:
            if self._cut:
                raise
            raise RuntimeError("the worker of a scenario was cancelled while it was made") from error

    def _cut_overdue(self) -> float:
        """Count and cancel the calls that took too long; how long until the next one can be, at most a nap."""
        timeout = self._bounds.timeout
        if self._bounded:
            return _NAP
        now, soonest = self._now(), min(_NAP, timeout)
        overdue = []
        for place in self._busy:
            if place.pending:
                left = place.started + timeout - now
                if left <= 0:
                    overdue.append(place)
                else:
                    soonest = min(soonest, left)
        for place in overdue:
            place.pending, place.overdue = False, True
            self._record.end(place.due, place.started, now, TIMED_OUT)
            self._busy.discard(place)
            if place.task is not None:
                place.task.cancel()
        return max(soonest, _SHORTEST_NAP)
