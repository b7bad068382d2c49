"""What a load test tells while it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from seawall.measure.load._record import Record, Totals, throughput_of, together
from seawall.measure.load._result import Throughput


@dataclass(frozen=True, slots=True)
class Progress:
    """A load test so far. Times in seconds; `p50` and `p99` are of the response time, None before the first answer."""

    elapsed: float
    duration: float
    planned: float
    sent: int
    completed: int
    succeeded: int
    under_way: int
    late: int
    outcomes: Mapping[str, int]
    p50: float | None
    p99: float | None
    throughput: Throughput


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Watched:
    """What progress is told of: the counts of a run, the time since its start, and what is under way."""

    records: list[Record]
    elapsed: Callable[[], float]
    under_way: Callable[[], int]

    def snapshot(self) -> Progress:
        """The run so far, its warm-up included in what is planned and over time, but not in the counts."""
        course, elapsed = self.records[0].course, self.elapsed()
        totals = Totals.of([record.totals() for record in self.records])
        times = together(record.response_time() for record in self.records)
        p50, p99 = times.percentiles([50.0, 99.0]) if times.count else (None, None)
        outcomes: Counter[str] = Counter()
        for record in self.records:
            outcomes.update(record.outcomes())
        return Progress(
            elapsed=elapsed,
            duration=course.end,
            planned=course.plan.planned(elapsed),
            sent=totals.sent,
            completed=totals.completed,
            succeeded=totals.succeeded,
            under_way=self.under_way(),
            late=totals.late,
            outcomes=dict(outcomes.most_common()),
            p50=p50,
            p99=p99,
            throughput=throughput_of(self.records, elapsed),
        )


@asynccontextmanager
async def reporting(tell: OnProgress | None, watched: Watched, *, every: float) -> AsyncIterator[None]:
    """Call `tell` every so many seconds while the block runs, and once at its end; its errors end the block."""
    if tell is None:
        yield
        return
    owner = asyncio.current_task()
    reporter = asyncio.create_task(_report(tell, watched, every))
    # A broken view must not run on unseen: its error stops the test and is raised below.
    reporter.add_done_callback(lambda task: None if task.cancelled() or owner is None else owner.cancel())
    try:
        yield
    finally:
        if reporter.done():
            if owner is not None:
                owner.uncancel()
            reporter.result()
        reporter.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporter
    tell(watched.snapshot())


async def _report(tell: OnProgress, watched: Watched, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        tell(watched.snapshot())
