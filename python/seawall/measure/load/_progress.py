"""What a load test tells while it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seawall.measure._histogram import Histogram
from seawall.measure.load._record import Record, Totals, throughput_of, together
from seawall.measure.load.result._judge import judge
from seawall.measure.load.result._result import Throughput

Counts = npt.NDArray[np.uint64]
# Four looks a second: the last two seconds.
_LOOKS = 8


@dataclass(frozen=True, slots=True)
class Recent:
    """The last seconds of a load test: the difference of two looks at it.

    Units: seconds; requests a second.

    Args:
        seconds: How many.
        asked: Rate by the plan.
        sent: Rate at which requests were started.
        succeeded: Rate at which requests ended well.
        failed: Rate at which requests ended otherwise.
        p50: Of the response times of what ended, as the others; None where nothing did.
        p90: To the width of a bucket of the histogram.
        p99: As `p90`.
        max: As `p90`.
    """

    seconds: float
    asked: float
    sent: float
    succeeded: float
    failed: float
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A load test so far.

    Units: seconds; requests a second.

    Args:
        elapsed: Since its start, the warm-up included.
        duration: When the last request is due, the warm-up included.
        planned: Requests expected to be due by now.
        sent: Requests that were started.
        completed: Requests that ended.
        succeeded: Requests that ended well.
        under_way: Requests started and not ended.
        late: Requests that waited for a place.
        outcomes: Number of requests by kind of end.
        p50: Of the response time, as the other percentiles; None before the first answer.
        p99: Of the response time.
        throughput: Counts over time.
        p90: Of the response time.
        max: The longest response time.
        recent: How the last seconds went.
        phase: The phase that is going on; empty where none was named.
        doubts: What the verdict would hold against the numbers now.
    """

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
    p90: float | None = None
    max: float | None = None
    recent: Recent | None = None
    phase: str = ""
    doubts: tuple[str, ...] = ()


OnProgress = Callable[[Progress], None]


class Look(NamedTuple):
    """What a run had done when it was looked at."""

    at: float
    planned: float
    totals: Totals
    times: Histogram


class Past:
    """The last few looks at a run, for what happened since."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float, Totals, Counts]] = deque(maxlen=_LOOKS)
        self._edges: npt.NDArray[np.float64] | None = None

    def since(self, look: Look) -> Recent | None:
        """What happened between the oldest look that is kept and this one; None at the first."""
        counts = look.times.counts()
        recent = self._recent(look, counts) if self._looks and look.at > self._looks[0][0] else None
        self._looks.append((look.at, look.planned, look.totals, counts))
        return recent

    def _recent(self, look: Look, counts: Counts) -> Recent:
        at, planned, totals, before = self._looks[0]
        seconds, succeeded = look.at - at, look.totals.succeeded - totals.succeeded
        if self._edges is None:
            self._edges = look.times.edges()
        # The bucket of a value ends where the next one begins.
        p50, p90, p99, longest = _percentiles(counts - before, self._edges[1:], (0.5, 0.9, 0.99, 1.0))
        return Recent(
            seconds=seconds,
            asked=(look.planned - planned) / seconds,
            sent=(look.totals.sent - totals.sent) / seconds,
            succeeded=succeeded / seconds,
            failed=(look.totals.completed - totals.completed - succeeded) / seconds,
            p50=p50,
            p90=p90,
            p99=p99,
            max=longest,
        )


def _percentiles(
    counts: Counts, ends: npt.NDArray[np.float64], shares: tuple[float, ...]
) -> list[float] | tuple[None, ...]:
    sums = np.cumsum(counts)
    if not sums.size or not sums[-1]:
        return (None,) * len(shares)
    ranks = np.ceil(np.array(shares) * sums[-1]).astype(np.uint64)
    found: list[float] = ends[np.searchsorted(sums, ranks)].tolist()
    return found


@dataclass(frozen=True)
class Watched:
    """What progress is told of: the counts of a run, the time since its start, and what is under way."""

    records: list[Record]
    elapsed: Callable[[], float]
    under_way: Callable[[], int]
    past: Past = field(default_factory=Past)

    def snapshot(self) -> Progress:
        """The run so far, its warm-up included in what is planned and over time, but not in the counts."""
        course, elapsed = self.records[0].course, self.elapsed()
        totals = Totals.of([record.totals() for record in self.records])
        times = together(record.response_time() for record in self.records)
        p50, p90, p99 = times.percentiles([50.0, 90.0, 99.0]) if times.count else (None, None, None)
        outcomes: Counter[str] = Counter()
        for record in self.records:
            outcomes.update(record.outcomes())
        planned = course.plan.planned(elapsed)
        return Progress(
            elapsed=elapsed,
            duration=course.end,
            planned=planned,
            sent=totals.sent,
            completed=totals.completed,
            succeeded=totals.succeeded,
            under_way=self.under_way(),
            late=totals.late,
            outcomes=dict(outcomes.most_common()),
            p50=p50,
            p99=p99,
            throughput=throughput_of(self.records, elapsed),
            p90=p90,
            max=times.max if times.count else None,
            recent=self.past.since(Look(elapsed, planned, totals, times)),
            phase=next((phase.name for phase in course.phases if phase.start <= elapsed < phase.end), ""),
            doubts=judge(
                response_time=times,
                schedule_error=together(record.schedule_error() for record in self.records),
                outcomes=outcomes,
                sent=totals.sent,
                late=totals.late,
                dropped=0,
            ).reasons,
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
