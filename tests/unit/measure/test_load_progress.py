"""What a load test tells while it runs."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from seawall.measure import Histogram
from seawall.measure.load import Constant, LoadTest, Progress
from seawall.measure.load._progress import Look, Past
from seawall.measure.load._record import Totals


def look(at: float, times: Histogram, *, succeeded: int) -> Look:
    """A look at a run that asks for ten requests a second."""
    return Look(at, at * 10, Totals(times.count, times.count, succeeded, 0, 0, 0.0), times)


def histogram(*values: float) -> Histogram:
    """Of these response times."""
    made = Histogram()
    for value in values:
        made.record(value)
    return made


def test_recent_is_the_difference_of_two_looks() -> None:
    """Rates and percentiles are of what happened between them, and of nothing before."""
    past = Past()
    assert past.since(look(1.0, histogram(*[5.0] * 10), succeeded=10)) is None
    recent = past.since(look(3.0, histogram(*[5.0] * 10, *[0.1] * 9, 0.2), succeeded=18))
    assert recent is not None
    assert (recent.seconds, recent.asked, recent.sent, recent.succeeded, recent.failed) == (2.0, 10.0, 5.0, 4.0, 1.0)
    assert [recent.p50, recent.p90, recent.p99, recent.max] == pytest.approx([0.1, 0.1, 0.2, 0.2], rel=2e-3)


def test_recent_looks_back_two_seconds_at_four_looks_a_second() -> None:
    """What is older has left it."""
    past = Past()
    for quarter in range(20):
        recent = past.since(look(quarter / 4, histogram(*[0.1] * quarter), succeeded=quarter))
    assert recent is not None
    assert recent.seconds == 2.0
    assert recent.sent == 4.0


def test_recent_has_no_times_where_nothing_ended() -> None:
    """None, not zero."""
    past = Past()
    past.since(look(0.0, Histogram(), succeeded=0))
    recent = past.since(look(1.0, Histogram(), succeeded=0))
    assert recent is not None
    assert (recent.p50, recent.max, recent.succeeded) == (None, None, 0.0)


async def test_a_run_tells_its_phase_and_the_longest_time() -> None:
    """Phases in their order; percentiles never fall below each other."""

    async def target() -> None:
        await asyncio.sleep(0.002)

    told: list[Progress] = []
    test = LoadTest(target, Constant(100), duration=0.8, phases={"one": 0.4, "two": 0.4})
    await test.run_async(told.append)
    names = [name for name, _ in itertools.groupby(progress.phase for progress in told)]
    # A look may fall into the time after the plan, or into one phase only where the machine is busy.
    assert [name for name in ("one", "two", "") if name in names] == names
    last = told[-1]
    assert last.p50 is not None
    assert last.max is not None
    assert last.p50 <= last.p90 <= last.p99 <= last.max * 1.001  # type: ignore[operator]


async def test_an_event_from_elsewhere_is_a_note_of_the_run() -> None:
    """With its kind, and the totals at that moment."""
    noted: list[int] = []

    async def target() -> None:
        noted.append(1)
        if len(noted) == 5:
            test.event("breaker open", "was closed")

    test = LoadTest(target, Constant(100), duration=0.1)
    result = await test.run_async()
    (note,) = result.notes
    assert (note.name, note.kind, note.text) == ("breaker open", "event", "was closed")
    assert 4 <= note.completed <= note.sent <= 10
