"""What a load test tells while it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from seawall.measure.load._engine import Engine
from seawall.measure.load._plans import Plan
from seawall.measure.load._result import Throughput
from seawall.measure.load._tally import Tally


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


@asynccontextmanager
async def reporting(
    tell: OnProgress | None, plan: Plan, engine: Engine, tally: Tally, *, every: float
) -> AsyncIterator[None]:
    """Call `tell` every so many seconds while the block runs, and once at its end; its errors end the block."""
    if tell is None:
        yield
        return
    owner = asyncio.current_task()
    reporter = asyncio.create_task(_report(tell, plan, engine, tally, every))
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
    tell(_snapshot(plan, engine, tally))


async def _report(tell: OnProgress, plan: Plan, engine: Engine, tally: Tally, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        tell(_snapshot(plan, engine, tally))


def _snapshot(plan: Plan, engine: Engine, tally: Tally) -> Progress:
    p50, p99 = tally.response_time.percentiles([50.0, 99.0]) if tally.completed else (None, None)
    return Progress(
        elapsed=engine.elapsed,
        duration=plan.duration,
        planned=plan.planned(engine.elapsed),
        sent=tally.sent,
        completed=tally.completed,
        succeeded=tally.succeeded,
        under_way=engine.under_way,
        late=tally.late,
        outcomes=dict(tally.outcomes),
        p50=p50,
        p99=p99,
        throughput=tally.throughput(plan),
    )
