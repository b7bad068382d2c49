"""The worker processes of a run, all together."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable

from seawall.clock import SystemClock
from seawall.errors import SeawallError
from seawall.measure.load._enough import Decision
from seawall.measure.load._gather import Ending
from seawall.measure.load._notes import Noting
from seawall.measure.load._record import Totals, together
from seawall.measure.load._settings import Settings
from seawall.measure.load.drive._split import Share
from seawall.measure.load.drive._stream import Stream
from seawall.measure.load.result._parts import Generator
from seawall.measure.load.workers._link import ORPHAN_PATIENCE
from seawall.measure.load.workers._member import Member
from seawall.measure.load.workers._memory import SharedMemory
from seawall.measure.load.workers._messages import Enough, Go, Stop, ToWorker

# Looks at least this often whether the run should end early, in seconds.
_NAP = 0.05
# Between all being ready and the start, so that each hears of it before.
_LEAD = 0.05
_READY_WITHIN = 120.0
# How long workers may take to end, after a stop or after the last call can have ended, before they are killed.
_END_WITHIN = 10.0
_LEAVE_WITHIN = ORPHAN_PATIENCE + 1.0
_NEVER = math.inf


class Crew(Noting):
    """The workers of a run. Made and used inside one event loop.

    One that dies before the start is an error; one that dies later is lost, and the others go on.
    """

    def __init__(self, settings: Settings, memory: SharedMemory) -> None:
        super().__init__(memory.records(settings))
        self._settings, self._memory = settings, memory
        self._clock_ns = SystemClock().now_ns
        self._zero = self._limit = _NEVER
        self._members: list[Member] = []
        self._changed = asyncio.Event()
        self._decision = Decision(settings, self.records, lambda: self.elapsed)
        self._told_enough: set[int] = set()
        self._stopping = False

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return max(self._clock() - self._zero, 0.0)

    @property
    def under_way(self) -> int:
        """Calls started and not ended, those of workers that died included."""
        phases = range(len(self._settings.course.phases))
        totals = Totals.of([record.totals(phase) for record in self.records for phase in phases])
        return max(totals.sent - totals.completed, 0)

    async def start(self, stop: asyncio.Event) -> bool:
        """Start all and, once they are ready, let them begin together; whether that was before the stop.

        Raises:
            SeawallError: One died, or was not ready in time.
            Exception: What one raised, such as when the target cannot be imported.
        """
        loop = asyncio.get_running_loop()
        for number in range(self._settings.workers):
            member = Member(number, self._settings.workers, self._memory)
            self._members.append(member)
            loop.add_reader(member.pipe.fileno(), self._hear, member)
        late = self._clock() + _READY_WITHIN
        await self._until(stop, lambda: stop.is_set() or self._all_ready(late))
        if stop.is_set():
            return False
        self._zero = self._clock() + _LEAD
        course = self._settings.course
        self._limit = course.until + course.timeout + _END_WITHIN
        self._tell(Go(self._zero))
        return True

    async def work(self, stop: asyncio.Event) -> None:
        """Wait until all are done or dead.

        Raises:
            Exception: What one raised.
        """
        await self._until(stop, lambda: self._all_done(stop))

    async def dismiss(self) -> None:
        """End all processes: those at work in order, unless that takes too long."""
        for member in self._members:
            asyncio.get_running_loop().remove_reader(member.pipe.fileno())
            # To the worker this is the end of its parent.
            member.pipe.close()
            if member.engines is None:
                member.kill()
        late = self._clock() + _LEAVE_WITHIN
        try:
            # The end of a process is no event that every event loop can wait for.
            while self._clock() < late and not all(member.ended for member in self._members):  # noqa: ASYNC110
                await asyncio.sleep(_NAP / 10)
        finally:
            for member in self._members:
                if not member.ended:
                    member.kill()
                member.bury()

    def ending(self, began: str) -> Ending:
        """How the run came to its end."""
        done = [member.done for member in self._members if member.done is not None]
        died = [member.died for member in self._members if member.died is not None]
        elapsed = max([*(one.took for one in done), *died], default=0.0)
        whole = bool(done) and all(one.whole for one in done)
        engines = next((member.engines for member in self._members if member.engines is not None), None)
        return Ending(
            elapsed=elapsed,
            due=self._due(self._settings.course.end if whole else elapsed),
            whole=whole,
            lost=self._decision.lost,
            engines=engines or [""] * len(self.records),
            generator=Generator(
                cpu=max((one.cpu / max(one.took, 1e-9) for one in done), default=0.0),
                waited=max((min(one.waited / max(one.took, 1e-9), 1.0) for one in done), default=0.0),
                lag=together(record.lag() for record in self.records),
                processes=len(self._members),
                lost=len(died),
            ),
            ended=[next(filter(None, words), "") for words in zip(*(one.ended for one in done), strict=True)],
            notes=[*self.all_notes(elapsed), *(note for one in done for note in one.notes)],
            began=began,
        )

    # --- while it runs --------------------------------------------------------------------------------------------

    async def _until(self, stop: asyncio.Event, over: Callable[[], bool]) -> None:
        stopper = asyncio.create_task(stop.wait())
        stopper.add_done_callback(lambda _: self._changed.set())
        try:
            while not over():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_NAP):
                        await self._changed.wait()
                self._changed.clear()
        finally:
            stopper.cancel()

    def _all_ready(self, late: float) -> bool:
        self._look_after()
        for member in self._members:
            if member.died is not None:
                raise member.start_error()
            if member.engines is None and self._clock() > late:
                raise SeawallError(f"{member.who} was not ready within {_READY_WITHIN:g} seconds")
        return all(member.engines is not None for member in self._members)

    def _all_done(self, stop: asyncio.Event) -> bool:
        self._look_after()
        if all(not member.working for member in self._members):
            return True
        self._end_early(stop)
        if self._stopping or len(self._told_enough) == len(self.records):
            self._limit = min(self._limit, self.elapsed + _END_WITHIN)
        if self.elapsed > self._limit:
            for member in self._members:
                if member.working:
                    member.kill()
        return False

    def _end_early(self, stop: asyncio.Event) -> None:
        for i in range(len(self.records)):
            if i not in self._told_enough and self._decision.enough(i):
                self._told_enough.add(i)
                self._tell(Enough(i))
        stopped = stop.is_set() or any(one.done is not None and one.done.stopped for one in self._members)
        if stopped and not self._stopping:
            self._stopping = True
            self._tell(Stop())

    def _look_after(self) -> None:
        for member in self._members:
            # A process that the worker made by a fork can hold its pipe open.
            if member.working and member.ended and member.hear(self.elapsed) and member.working:
                member.died = self.elapsed
            if member.failed is not None:
                raise member.failed.told_by(member.who)

    def _clock(self) -> float:
        return self._clock_ns() / 1e9

    def _hear(self, member: Member) -> None:
        if not member.hear(self.elapsed):
            asyncio.get_running_loop().remove_reader(member.pipe.fileno())
        self._changed.set()

    def _tell(self, message: ToWorker) -> None:
        for member in self._members:
            member.tell(message)

    def _due(self, until: float) -> list[list[int]]:
        phases, number = len(self._settings.course.phases), len(self.records)
        if self._settings.closed is not None:
            return [[record.totals(phase).sent for phase in range(phases)] for record in self.records]
        total = [[0] * phases for _ in range(number)]
        for member in self._members:
            for i in range(number):
                share = self._share_due(member, i, until)
                total[i] = [one + other for one, other in zip(total[i], share, strict=True)]
        return total

    def _share_due(self, member: Member, i: int, until: float) -> list[int]:
        settings = self._settings
        if member.done is not None:
            return member.done.due[i]
        if member.died is None:
            return [0] * len(settings.course.phases)
        share = Share(i, settings.weights, member.number, settings.workers)
        return Stream(settings.course, settings.arrivals, settings.seed, share).due(until)
