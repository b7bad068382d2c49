"""Eight threads that share one object, against one thread that does all the work."""

from __future__ import annotations

from collections.abc import Callable

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target
from benchmarks.areas import _policies as policies
from benchmarks.areas._policies import plain
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


def _guards() -> dict[str, Callable[[], Probe]]:
    return {
        "CircuitBreaker around a call": plain(policies.breaker),
        "CircuitBreaker, refused": policies.breaker_refuses,
        "Retry around a call": plain(policies.retry),
        "Bulkhead around a call": plain(policies.bulkhead),
        "Pipeline of four around a call": plain(policies.pipeline),
    }


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    found: list[Case | Missing] = []
    for jobs, target in ((_jobs(), Target(1.15)), (_guards(), Target(1.2))):
        for job, make in jobs.items():
            one = Case(job, OURS, "one thread", make, of=f"{job}: {OURS} one thread", how="threads")
            eight = Case(job, OURS, "eight threads", make, target, of=one.name, how="threads", workers=EIGHT)
            found += [one, eight]
    return found
