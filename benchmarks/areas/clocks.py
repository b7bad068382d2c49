"""Stamping an event, taking a message, comparing two histories."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks._case import OURS, Case, Missing, Probe, Target
from benchmarks._scratch import scratch_segment
from benchmarks.versus import rivals
from benchmarks.versus._kinds import PEERS
from seawall.distributed.clocks import HybridClock, LamportClock, Order, VectorClock


def rises() -> Callable[[object], bool]:
    """Whether each answer is greater than the one before."""
    last = 0

    def holds(value: object) -> bool:
        nonlocal last
        before, last = last, value if isinstance(value, int) else 0
        return last > before

    return holds


def stamp(clock: HybridClock) -> Probe:
    """The stamp of an event."""
    return Probe("stamps.now()", {"stamps": clock}, rises())


def take(clock: HybridClock) -> Probe:
    """The stamp of taking a message of the present."""
    return Probe("stamps.receive(stamp)", {"stamps": clock, "stamp": HybridClock().now()}, rises())


def tick(clock: LamportClock) -> Probe:
    """A tick; the clock knows afterwards how many."""
    return Probe("stamps.tick()", {"stamps": clock}, rises(), lambda: clock.value)


def compare() -> Probe:
    """Two histories of ten nodes, of which the second has one event more."""
    one = VectorClock(dict.fromkeys(PEERS, 3))
    two = one.increment(PEERS[7])
    return Probe("one.compare(two)", {"one": one, "two": two}, lambda value: value is Order.BEFORE)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    now, taken, ticked, compared = "stamp an event", "take a message", "tick", "compare vector clocks of ten nodes"
    shared = "HybridClock.now in a shared segment"
    return [
        Case(now, OURS, "HybridClock.now", lambda: stamp(HybridClock()), Target(1.0)),
        Case(now, OURS, shared, lambda: stamp(HybridClock(shared=scratch_segment())), Target(1.0)),
        Case(taken, OURS, "HybridClock.receive", lambda: take(HybridClock()), Target(1.2)),
        Case(ticked, OURS, "LamportClock.tick", lambda: tick(LamportClock("a")), Target(0.6)),
        Case(compared, OURS, "VectorClock.compare", compare, Target(3.0)),
        *rivals({"hybrid_now": now, "hybrid_receive": taken, "vector_compare": compared}),
    ]
