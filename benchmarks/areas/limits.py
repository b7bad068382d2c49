"""One limit: a call admitted, a call refused, alone and in a shared segment."""

from __future__ import annotations

from collections.abc import Callable

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target, exhaust
from benchmarks._scratch import scratch_segment
from benchmarks.versus import rivals

# So long that no window ends during a run. Windows begin at multiples of their length since the machine started.
LONG = 100 * 86_400.0
ROOMY = 10_000_000

ADMITTING: dict[str, Callable[[], sw.Limit]] = {
    "TokenBucket": lambda: sw.TokenBucket(1e9, burst=ROOMY),
    "LeakyBucket": lambda: sw.LeakyBucket(1e9, capacity=ROOMY),
    "FixedWindow": lambda: sw.FixedWindow(1 << 40, window=LONG),
    "SlidingWindow": lambda: sw.SlidingWindow((1 << 27) - 1, window=LONG),
    # Nobody makes a thousand calls in a microsecond, so a log of a thousand never fills.
    "SlidingLog": lambda: sw.SlidingLog(1_000, window=1e-6),
}
REFUSING: dict[str, tuple[int, Callable[[], sw.Limit]]] = {
    "TokenBucket": (5, lambda: sw.TokenBucket(1, per=LONG, burst=5)),
    "LeakyBucket": (1, lambda: sw.LeakyBucket(1, per=LONG, capacity=5)),
    "FixedWindow": (5, lambda: sw.FixedWindow(5, window=LONG)),
    "SlidingWindow": (5, lambda: sw.SlidingWindow(5, window=LONG)),
    "SlidingLog": (5, lambda: sw.SlidingLog(5, window=LONG)),
}


def admitted(make: Callable[[], sw.Limit]) -> Probe:
    """A limit that lets every call through."""
    limiter = make()
    return Probe(
        "limiter.try_acquire()", {"limiter": limiter}, lambda value: value is True, lambda: limiter.stats().admitted
    )


def refused(limit: int, make: Callable[[], sw.Limit]) -> Probe:
    """A limit that is used up."""
    limiter = make()
    exhaust(limiter.try_acquire, limit)
    return Probe(
        "limiter.try_acquire()", {"limiter": limiter}, lambda value: value is False, lambda: limiter.stats().refused
    )


def _own() -> list[Case]:
    cases = []
    for name, make in ADMITTING.items():
        target = Target(1.3 if name == "SlidingLog" else 0.9)
        limit, full = REFUSING[name]
        cases += [
            Case("admitted", OURS, name, lambda make=make: admitted(make), target),
            Case("refused", OURS, name, lambda limit=limit, full=full: refused(limit, full), target),
        ]
    shared = "TokenBucket in a shared segment"
    cases += [
        Case(
            "admitted",
            OURS,
            shared,
            lambda: admitted(lambda: sw.TokenBucket(1e9, burst=ROOMY, shared=scratch_segment())),
            Target(1.1),
        ),
        Case(
            "refused",
            OURS,
            shared,
            lambda: refused(5, lambda: sw.TokenBucket(1, per=LONG, burst=5, name="full", shared=scratch_segment())),
            Target(1.1),
        ),
    ]
    return cases


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    return [*_own(), *rivals({"admitted": "admitted", "refused": "refused"})]
