"""Calls made in threads."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

from seawall.measure.load.drive._driver import FEED_ENDED, Driver, Work
from seawall.measure.load.drive._places import not_made, summed_up
from seawall.measure.load.drive._queue import Queue
from seawall.measure.load.result._outcomes import DONE, TIMED_OUT, Answer, failed
from seawall.measure.load.target._call import Misused
from seawall.measure.load.target._callable import entered_plainly

_NAP = 0.05
# How long the end of a run waits for the places to be left, in seconds.
_PATIENCE = 5.0
# And how long for those in which a call is under way, or a worker being made.
_GRACE = 0.5


class _Place:
    """One thread and the call that is under way in it."""

    __slots__ = ("due", "inside", "leave", "making", "number", "pending", "row", "started", "state", "thread")

    def __init__(self) -> None:
        # Whether a call is under way whose end is still to be counted; and whether one is under way at all.
        self.pending = self.inside = False
        # Since when its worker is being made.
        self.making: float | None = None
        self.due = self.started = 0.0
        self.number = 0
        self.state: Any = None
        self.row: Any = None
        self.leave: Callable[[], Any] | None = None
        self.thread: threading.Thread | None = None


class ThreadDriver(Driver):
    """Calls made by threads that take turns: one waits for the next due time, and then calls while another waits.

    So nothing is handed from thread to thread between due and started. A thread cannot be interrupted: a call that
    outlasts the timeout is counted as one, and its place is free again only when it returns. Threads are daemons, so
    one that never returns does not hold up the end.

    Cost: about 20 us a call under the GIL, besides what the target does.
    """

    engine = "callable in threads"

    def __init__(self, call: Callable[[int, Any, Any], Answer | None], work: Work) -> None:
        self._call = call
        self._stream, self._bounds = work.stream, work.bounds
        self._record, self._tally = work.record, work.record.tally
        self._worker = work.worker
        self._clock = asyncio.get_running_loop().time
        self._turn = threading.Lock()
        # Guards `pending` of all places, `_waiting`, `_started_all` and the list of places; held for moments only.
        self._books = threading.Lock()
        self._over = threading.Event()
        self._queue = Queue(work)
        self._waiting = 0
        self._most = work.bounds.places
        self._places: list[_Place] = []
        self._held_until, self._line_held = 0.0, False
        self._started_all = False
        self._crash: BaseException | None = None
        self._troubles: list[str] = []

    @property
    def under_way(self) -> int:
        """Calls started and not ended."""
        with self._books:
            return sum(place.pending for place in self._places)

    async def run(self, stop: asyncio.Event) -> bool:
        """Make all calls and wait for their ends; whether the plan was done."""
        closed = self._bounds.closed
        users = 1 if closed is None else len(range(self._stream.first, closed.users, self._stream.stride))
        for _ in range(users):
            self._hire()
        try:
            while not self._done() and not stop.is_set() and self._crash is None and not self._bounds.enough():
                await asyncio.sleep(min(_NAP / 10 if self._started_all else _NAP, self._bounds.timeout))
                self._cut_overdue()
                if self._now() > (self._bounds.until if closed is None else self._bounds.end):
                    # Also where all threads are still making their workers, so that none of them notices.
                    self._finish_starting()
            done = self._done()
        finally:
            # First, so that no thread begins a call that is not counted any more.
            self._finish_starting()
            self._over.set()
            self.over = self._now()
            await self._dismiss()
        if self._crash is not None:
            raise self._crash
        return done

    # --- one thread -----------------------------------------------------------------------------------------------

    def _work(self, place: _Place) -> None:
        try:
            if self._worker is not None:
                self._enter(place, self._worker)
            try:
                if self._bounds.closed is None:
                    self._serve(place)
                else:
                    self._ask_again(place, self._bounds.closed.think)
            finally:
                if place.leave is not None:
                    self._leave(place.leave)
        except BaseException as error:  # noqa: BLE001  # a worker that cannot be made ends the run with its error
            self._crash = self._crash or error

    def _enter(self, place: _Place, worker: Callable[[], Any]) -> None:
        place.making = self._now()
        made = worker()
        if inspect.isawaitable(made) or hasattr(made, "__aenter__"):
            if inspect.iscoroutine(made):
                made.close()
            raise Misused(
                f"the worker of a plain callable must be plain too, it gave a {type(made).__name__}; "
                "make it a plain function, or the target an `async def`"
            )
        place.state, place.leave = entered_plainly(made)
        place.making = None

    def _leave(self, leave: Callable[[], Any]) -> None:
        # The calls are over and measured; an error now takes no result from anybody, but is told.
        try:
            leave()
        except Exception as error:  # noqa: BLE001  # whatever the worker raises
            with self._books:
                self._troubles.append(f"{type(error).__name__}: {error}")

    def _serve(self, place: _Place) -> None:
        first = self._worker is not None
        while True:
            arrived = self._now()
            with self._turn:
                if self._line_held or first:
                    self._held_until, self._line_held, first = arrived, False, False
                due = self._lead()
                if due is None:
                    return
                late = due < self._held_until
                if not self._fill(place) or not self._begin(place, due, late=late):
                    return
            self._measure(place)
            with self._books:
                self._waiting += 1

    def _lead(self) -> float | None:
        """Wait for the next due time; None when the run is over."""
        with self._books:
            self._waiting -= 1
            alone = self._waiting == 0 and len(self._places) < self._most and not self._started_all
        if alone:
            # Somebody has to wait for the next one while this thread calls.
            self._hire()
        while not self._over.is_set() and not self._started_all:
            now = self._now()
            due = self._queue.peek(now)
            if due is None or now > self._bounds.until:
                self._finish_starting()
            elif due <= now:
                self._queue.pop()
                return due
            else:
                self._over.wait(min(due - now, _NAP))
        return None

    def _ask_again(self, place: _Place, think: float) -> None:
        while not self._over.wait(max(-self._now(), 0.0)):
            with self._turn:
                if self._now() >= self._bounds.end or not self._fill(place) or not self._begin(place, None):
                    return
            self._measure(place)
            if think:
                self._over.wait(think)

    def _fill(self, place: _Place) -> bool:
        if self._queue.fill(place):
            return True
        self.ended_early = FEED_ENDED
        self._finish_starting()
        return False

    def _begin(self, place: _Place, due: float | None, *, late: bool = False) -> bool:
        """Whether the call that was due then, or is made now, still is part of the run; it is started then."""
        with self._books:
            if self._started_all:
                return False
            place.started = self._now()
            place.due = place.started if due is None else due
            place.pending = place.inside = True
            self._queue.last = place.due
            if self._waiting == 0:
                self._line_held = True
            # Counted under the lock: the end of the run finds a call either counted or not begun.
            self._tally.start(place.due, place.started, late)
        return True

    def _measure(self, place: _Place) -> None:
        due, started = place.due, place.started
        try:
            answer = self._call(place.number, place.state, place.row)
        except Misused:
            self._settle(place)
            raise
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # whatever it raises became of the call
            answer = failed(error)
        ended = self._now()
        with self._books:
            pending, place.pending, place.inside = place.pending, False, False
            if not pending:
                return
        if answer is None:
            self._tally.end(due, started, ended, DONE)
        else:
            self._record.end(due, started, ended, answer)

    # --- the run --------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock() - self._bounds.zero

    def _hire(self) -> None:
        place = _Place()
        place.thread = threading.Thread(target=self._work, args=(place,), daemon=True, name="seawall-load")
        with self._books:
            self._places.append(place)
            self._waiting += 1
        try:
            place.thread.start()
        except RuntimeError:
            with self._books:
                self._places.remove(place)
                self._waiting -= 1
                # The machine gives no more threads: then these are all the places there are.
                self._most = len(self._places)
            if not self._most:
                raise

    def _settle(self, place: _Place) -> bool:
        """Whether the end of the place's call is still to be told; only the first who asks may tell it."""
        with self._books:
            pending, place.pending = place.pending, False
            return pending

    def _finish_starting(self) -> None:
        with self._books:
            self._started_all = True

    def _done(self) -> bool:
        return self._started_all and not self.under_way

    def _cut_overdue(self) -> None:
        now, timeout = self._now(), self._bounds.timeout
        for place in list(self._places):
            if place.pending and now - place.started > timeout and self._settle(place):
                self._record.end(place.due, place.started, now, TIMED_OUT)
            if place.making is not None and now - place.making > timeout:
                self._crash = self._crash or TimeoutError(not_made(timeout))

    async def _dismiss(self) -> None:
        """Wait for the threads to leave their workers; not long for those in which a call is under way."""
        with self._books:
            for place in self._places:
                place.pending = False
        waited = 0.0
        while any(self._is_leaving(place, waited) for place in self._places) and waited < _PATIENCE:
            await asyncio.sleep(_NAP / 10)
            waited += _NAP / 10
        with self._books:
            self.trouble = summed_up(self._troubles)

    def _is_leaving(self, place: _Place, waited: float) -> bool:
        if place.thread is None or not place.thread.is_alive():
            return False
        if not place.inside and place.making is None:
            return True
        # A call cannot be cut, and without a worker there is nothing to leave after it.
        return waited < _GRACE and (place.leave is not None or place.making is not None)
