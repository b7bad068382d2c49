"""Eight threads that share one object, against one thread that does all the work."""

from __future__ import annotations

from collections.abc import Callable

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target
from benchmarks.areas.counter import add_one
from benchmarks.areas.histogram import record_one
from benchmarks.areas.keyed import by_key
from benchmarks.areas.limits import ADMITTING, REFUSING, admitted, refused

EIGHT = 8


def _jobs() -> dict[str, Callable[[], Probe]]:
    jobs: dict[str, Callable[[], Probe]] = {}
    for name, make in ADMITTING.items():
        jobs[f"{name}, admitted"] = lambda make=make: admitted(make)  # type: ignore[misc]
    jobs["TokenBucket, refused"] = lambda: refused(*REFUSING["TokenBucket"])
    jobs["keyed, a key a thread"] = by_key
    jobs["Counter.inc"] = lambda: add_one(sw.Counter())
    jobs["Histogram.record"] = lambda: record_one(sw.Histogram())
    return jobs


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    found: list[Case | Missing] = []
    for job, make in _jobs().items():
        one = Case(job, OURS, "one thread", make, of=f"{job}: {OURS} one thread", how="threads")
        eight = Case(job, OURS, "eight threads", make, Target(1.15), of=one.name, how="threads", workers=EIGHT)
        found += [one, eight]
    return found
