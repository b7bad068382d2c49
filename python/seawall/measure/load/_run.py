"""One run of a load test in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Literal

from seawall.measure.load._lost import SoFar, first_lost
from seawall.measure.load._parts import Note
from seawall.measure.load._record import Record, Totals, together
from seawall.measure.load._settings import Settings
from seawall.measure.load.drive._async import AsyncDriver
from seawall.measure.load.drive._driver import Bounds, Driver, Work
from seawall.measure.load.drive._lag import Usage, watching_lag
from seawall.measure.load.drive._native import native_driver, wants_native
from seawall.measure.load.drive._split import Share
from seawall.measure.load.drive._stream import Stream
from seawall.measure.load.drive._threads import ThreadDriver
from seawall.measure.load.target._callable import sync_call
from seawall.measure.load.target._caller import caller_of

# Looking for what cannot be kept any more reads whole histograms, so not at every turn.
_LOOK_EVERY = 0.25


class Run:
    """The drivers of a run, or of one worker's share of it. Made and used inside one event loop.

    Args:
        settings: What is done.
        records: Where it is counted, one a scenario.
        zero: The start, on the clock of the event loop.
        worker: Number of this worker process.
        workers: How many there are.
    """

    def __init__(
        self, settings: Settings, records: Sequence[Record], *, zero: float, worker: int = 0, workers: int = 1
    ) -> None:
        self.settings, self.records, self.zero = settings, list(records), zero
        self.drivers: list[Driver] = []
        self.notes: list[Note] = []
        self._share = worker, workers
        self._clock = asyncio.get_running_loop().time
        self._streams = [self._stream(i) for i in range(len(settings.scenarios))]
        self._notes_lock = threading.Lock()
        self._next_look = 0.0
        self._lost: str | None = None
        self._reached = [False] * len(settings.scenarios)
        self.cpu = self.waited = self.took = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return max(self._clock() - self.zero, 0.0)

    @property
    def under_way(self) -> int:
        """Calls started and not ended."""
        return sum(driver.under_way for driver in self.drivers)

    @property
    def lost(self) -> str | None:
        """The threshold that cannot be kept any more, where the run is to end for it."""
        return self._lost

    async def go(self, stop: asyncio.Event) -> bool:
        """Make all calls; whether the whole plan was done."""
        before = Usage.now()
        async with AsyncExitStack() as opened:
            for i in range(len(self.settings.scenarios)):
                self.drivers.append(await self._driver(i, opened))
            for record, driver in zip(self.records, self.drivers, strict=True):
                if isinstance(driver, AsyncDriver):
                    # One loop has one lag, whoever of them notes it.
                    await opened.enter_async_context(watching_lag(record.tally))
                    break
            done = await _all(self.drivers, stop)
            self.took = self.elapsed
        used = Usage.now()
        own = sum(driver.cpu for driver in self.drivers)
        self.cpu = max([used.cpu - before.cpu - own, *(driver.cpu for driver in self.drivers)])
        self.waited = max([used.waited_since(before), *(driver.waited for driver in self.drivers)])
        return done

    def due(self, until: float) -> list[list[int]]:
        """How many calls were due up to `until`, by scenario and phase; call it once the run is over."""
        if self.settings.closed is not None:
            phases = range(len(self.settings.course.phases))
            return [[record.totals(phase).sent for phase in phases] for record in self.records]
        return [stream.due(until) for stream in self._streams]

    def note(self, name: str, kind: Literal["checkpoint", "event"], text: str) -> None:
        """Note something that happens now. Thread safety: any thread."""
        totals = Totals.of([record.totals() for record in self.records])
        with self._notes_lock:
            self.notes.append(
                Note(self.elapsed, name, kind, text, totals.sent, totals.completed, totals.succeeded, totals.bytes)
            )

    def _stream(self, i: int) -> Stream:
        worker, workers = self._share
        share = Share(i, self.settings.weights, worker, workers)
        return Stream(self.settings.course, self.settings.arrivals, self.settings.seed, share)

    async def _driver(self, i: int, opened: AsyncExitStack) -> Driver:
        settings, scenario = self.settings, self.settings.scenarios[i]
        worker, workers = self._share
        places = max(len(range(worker, settings.places(scenario), workers)), 1)
        course = settings.course
        bounds = Bounds(
            places, course.timeout, self.zero, course.end, course.until, settings.closed, lambda: self._enough(i)
        )
        rows = None if scenario.feed is None else scenario.rows
        work = Work(self._streams[i], self.records[i], bounds, scenario.worker, rows)
        if scenario.in_threads:
            return ThreadDriver(sync_call(scenario), work)
        if wants_native(scenario):
            return await native_driver(scenario, work, threads=settings.threads)
        caller = await opened.enter_async_context(caller_of(scenario, places=places, timeout=course.timeout))
        return AsyncDriver(caller, work)

    def _enough(self, i: int) -> bool:
        if not self._reached[i]:
            record = self.records[i]
            if record.hopeless:
                return True
            self._reached[i] = record.reached
        return self.settings.abort and self._look() is not None

    def _look(self) -> str | None:
        if self._lost is None:
            totals = Totals.of([record.totals() for record in self.records])
            times = None
            if self.elapsed >= self._next_look:
                self._next_look = self.elapsed + _LOOK_EVERY
                times = together(record.response_time() for record in self.records)
            so_far = SoFar(totals.completed - totals.succeeded, totals.late, totals.slowest, times)
            self._lost = first_lost(self.settings.thresholds, so_far, self.settings.most)
        return self._lost


async def _all(drivers: list[Driver], stop: asyncio.Event) -> bool:
    """Run them all; when one fails, the others are stopped and its error is raised."""
    tasks = [asyncio.create_task(driver.run(stop)) for driver in drivers]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return all(task.result() for task in tasks)
