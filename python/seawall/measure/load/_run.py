"""One run of a load test in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from seawall.measure.load._enough import Decision
from seawall.measure.load._notes import Noting
from seawall.measure.load._record import Record, Totals
from seawall.measure.load._settings import Settings
from seawall.measure.load.drive._async import AsyncDriver
from seawall.measure.load.drive._driver import Bounds, Driver, Work
from seawall.measure.load.drive._lag import Usage, watching_lag
from seawall.measure.load.drive._native import native_driver, wants_native
from seawall.measure.load.drive._split import Share
from seawall.measure.load.drive._stream import Stream
from seawall.measure.load.drive._threads import ThreadDriver
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._callable import sync_call
from seawall.measure.load.target._caller import caller_of

# Between "now" and the start of the plan, so that all is ready then, in seconds.
LEAD = 0.002


class Run(Noting):
    """The drivers of a run, or of one worker's share of it. Made and used inside one event loop.

    Args:
        settings: What is done.
        records: Where it is counted, one a scenario.
        zero: The start, on the clock of the event loop.
        worker: Number of this worker process.
        workers: How many there are.
        enough: Whether a scenario should end early, where somebody else decides that for all workers.
    """

    def __init__(
        self,
        settings: Settings,
        records: Sequence[Record],
        *,
        zero: float,
        worker: int = 0,
        workers: int = 1,
        enough: Callable[[int], bool] | None = None,
    ) -> None:
        super().__init__(records)
        self.settings, self.zero = settings, zero
        self.drivers: list[Driver] = []
        self._bounds: list[Bounds] = []
        self._share = worker, workers
        self._clock = asyncio.get_running_loop().time
        self._streams = [self._stream(i) for i in range(len(settings.scenarios))]
        self._decision = Decision(settings, self.records, lambda: self.elapsed)
        self._enough = enough or self._decision.enough
        # Scenarios that were given up because their target is plainly not there.
        self._given_up = [False] * len(settings.scenarios)
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
        return self._decision.lost

    async def go(self, stop: asyncio.Event, ready: Callable[[], Awaitable[float]] | None = None) -> bool:
        """Make all calls; whether the whole plan was done.

        Args:
            stop: Ends it at once when set.
            ready: Called when all is open; gives the start in place of `zero`.
        """
        async with AsyncExitStack() as opened:
            callers = [await self._caller(i, opened) for i in range(len(self.settings.scenarios))]
            for i, caller in enumerate(callers):
                self.drivers.append(await self._driver(i, caller))
            # Importing and opening clients takes its time, which is none of the plan's.
            self.zero = await ready() if ready is not None else max(self.zero, self._clock() + LEAD)
            for bounds in self._bounds:
                bounds.zero = self.zero
            before = Usage.now()
            for record, driver in zip(self.records, self.drivers, strict=True):
                if isinstance(driver, AsyncDriver):
                    # One loop has one lag, whoever of them notes it.
                    await opened.enter_async_context(watching_lag(record.tally))
                    break
            done = await _all(self.drivers, stop)
            # Not how long it took to leave workers, or to break off what swallows its cancellation.
            self.took = max([self.elapsed if one.over is None else one.over for one in self.drivers])
            for driver in self.drivers:
                if driver.trouble:
                    self.note("worker not left", "event", driver.trouble)
        used = Usage.now()
        own = sum(driver.cpu for driver in self.drivers)
        self.cpu = max([used.cpu - before.cpu - own, *(driver.cpu for driver in self.drivers)])
        self.waited = max([used.waited_since(before), *(driver.waited for driver in self.drivers)])
        for i, record in enumerate(self.records):
            # Whoever gave it up, this process, another one or the engine by itself.
            self._given_up[i] = not stop.is_set() and not done[i] and record.hopeless
        for stream, driver, given_up in zip(self._streams, self.drivers, self._given_up, strict=True):
            if given_up:
                # What was due after it was given up was never part of the run.
                stream.close(self.took if driver.over is None else driver.over)
        return self._whole(done)

    @property
    def ended(self) -> list[str]:
        """Why scenarios ended on their own before their plan was done, by scenario; empty where they did not."""
        words = [
            f"none of its first {record.completed:,} requests reached the target"
            for record in map(_total, self.records)
        ]
        given_up = [said if given_up else "" for said, given_up in zip(words, self._given_up, strict=True)]
        return [given or driver.ended_early for given, driver in zip(given_up, self.drivers, strict=True)]

    def due(self, until: float) -> list[list[int]]:
        """How many calls were due up to `until`, by scenario and phase; call it once the run is over."""
        if self.settings.closed is not None:
            phases = range(len(self.settings.course.phases))
            return [[record.totals(phase).sent for phase in phases] for record in self.records]
        return [stream.due(until) for stream in self._streams]

    def _stream(self, i: int) -> Stream:
        worker, workers = self._share
        share = Share(i, self.settings.weights, worker, workers)
        return Stream(self.settings.course, self.settings.arrivals, self.settings.seed, share)

    def _places(self, i: int) -> int:
        worker, workers = self._share
        return max(len(range(worker, self.settings.places(i), workers)), 1)

    async def _caller(self, i: int, opened: AsyncExitStack) -> Caller | None:
        """What makes a scenario's calls in this loop; None where another engine does."""
        scenario, timeout = self.settings.scenarios[i], self.settings.course.timeout
        if scenario.in_threads or wants_native(scenario):
            return None
        return await opened.enter_async_context(caller_of(scenario, places=self._places(i), timeout=timeout))

    async def _driver(self, i: int, caller: Caller | None) -> Driver:
        settings, scenario, course = self.settings, self.settings.scenarios[i], self.settings.course
        bounds = Bounds(
            self._places(i),
            course.timeout,
            self.zero,
            course.end,
            course.until,
            settings.closed_of(i),
            lambda: self._enough(i),
        )
        self._bounds.append(bounds)
        work = Work(self._streams[i], self.records[i], bounds, scenario.worker, scenario.rows())
        if caller is not None:
            return AsyncDriver(caller, work)
        if scenario.in_threads:
            return ThreadDriver(sync_call(scenario), work)
        return await native_driver(scenario, work, threads=settings.threads)

    def _whole(self, done: list[bool]) -> bool:
        """Whether the run was not interrupted: each scenario did its plan, or was given up while others did theirs."""
        return any(done) and all(one or given_up for one, given_up in zip(done, self._given_up, strict=True))


async def _all(drivers: list[Driver], stop: asyncio.Event) -> list[bool]:
    """Run them all; whether each did its whole plan. When one fails, the others are stopped and its error is raised."""
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
    return [task.result() for task in tasks]


def _total(record: Record) -> Totals:
    return Totals.of([record.totals(i) for i in range(len(record.course.phases))])
