"""vectorclock: dictionaries of counts."""

from __future__ import annotations

from vectorclock.vectorclock import VectorClock

from benchmarks._case import Probe
from benchmarks.versus._kinds import PEERS, Makers


def _compare() -> Probe:
    one = VectorClock(dict.fromkeys(PEERS, 3))
    two = VectorClock({**dict.fromkeys(PEERS, 3), PEERS[7]: 4})
    return Probe("one.compare(two, False)", {"one": one, "two": two}, lambda value: value == -1)


def vector_compare() -> Makers:
    """Two histories of ten nodes."""
    return {"VectorClock.compare": _compare}
