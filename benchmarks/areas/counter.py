"""Adding one."""

from __future__ import annotations

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target, is_none
from benchmarks._scratch import scratch_segment
from benchmarks.versus import rivals


def add_one(counter: sw.Counter) -> Probe:
    """A counter that knows afterwards how often it was called."""
    return Probe("counter.inc()", {"counter": counter}, is_none, lambda: counter.value)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    job = "add one"
    return [
        Case(job, OURS, "Counter.inc", lambda: add_one(sw.Counter()), Target(0.3)),
        Case(
            job,
            OURS,
            "Counter.inc in a shared segment",
            lambda: add_one(sw.Counter(shared=scratch_segment())),
            Target(0.3),
        ),
        *rivals({"inc": job}),
    ]
