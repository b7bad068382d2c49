"""Everything that stands in a segment, as snapshots: metrics of all workers, and limits and breakers they share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from seawall.errors import ConfigError, SegmentError
from seawall.guard import limits
from seawall.guard.breaker import CircuitBreaker
from seawall.measure import Counter, Gauge, Histogram
from seawall.memory import Segment, SlotInfo
from seawall.observe import Distribution, Family, Sample, Snapshot
from seawall.observe.metrics import Metrics

_Make = Callable[[Segment, str], Any]
# Whatever is asked for here, what stands in the slot is taken.
_GUARDS: dict[str, _Make] = {
    "token_bucket": lambda segment, name: limits.TokenBucket(1, shared=segment, name=name, on_conflict="adopt"),
    "leaky_bucket": lambda segment, name: limits.LeakyBucket(
        1, capacity=1, shared=segment, name=name, on_conflict="adopt"
    ),
    "fixed_window": lambda segment, name: limits.FixedWindow(
        1, window=1, shared=segment, name=name, on_conflict="adopt"
    ),
    "sliding_window": lambda segment, name: limits.SlidingWindow(
        1, window=1, shared=segment, name=name, on_conflict="adopt"
    ),
    "sliding_log": lambda segment, name: limits.SlidingLog(1, window=1, shared=segment, name=name, on_conflict="adopt"),
    "circuit_breaker": lambda segment, name: CircuitBreaker(
        name, failure_ratio=0.5, shared=segment, on_conflict="adopt"
    ),
}
_MEASURES: dict[str, _Make] = {
    "counter": lambda segment, name: Counter(shared=segment, name=name),
    "gauge": lambda segment, name: Gauge(shared=segment, name=name),
    "histogram": lambda segment, name: Histogram(shared=segment, name=name, on_conflict="adopt"),
}


class Watched:
    """A segment that is looked at from outside.

    Raises:
        SegmentError: There is none of this name.
    """

    def __init__(self, name: str) -> None:
        self.segment = Segment.attach(name)
        self.unread: dict[str, str] = {}
        self._known: set[SlotInfo] = set()
        self._here = Metrics()
        self._shared: list[Metrics] = []
        self._measures: dict[str, Counter | Gauge | Histogram] = {}

    def snapshot(self) -> Snapshot:
        """What all of it says now; slots that came since are found."""
        for slot in self.segment.describe():
            if slot not in self._known:
                self._known.add(slot)
                self._meet(slot)
        # What workers published of a shared guard, and what it says of itself, is the same: it is told once.
        told = [metrics.snapshot() for metrics in (*self._shared, self._here)]
        measured = tuple(_family(name, one) for name, one in self._measures.items())
        return Snapshot.merged([*told, Snapshot(told[-1].at, measured)])

    def _meet(self, slot: SlotInfo) -> None:
        try:
            if slot.kind == "metrics":
                self._shared.append(Metrics(self.segment, name=slot.name))
            elif slot.kind in _GUARDS:
                self._here.instrument(_GUARDS[slot.kind](self.segment, slot.name))
            elif slot.kind in _MEASURES:
                self._measures[_metric(slot.name)] = _MEASURES[slot.kind](self.segment, slot.name)
        except (ConfigError, SegmentError) as error:
            self.unread[slot.name] = str(error)


def _family(name: str, one: Counter | Gauge | Histogram) -> Family:
    if isinstance(one, Histogram):
        return Family(name, "histogram", (Sample((), Distribution.of(one)),), unit="seconds")
    return Family(name, "counter" if isinstance(one, Counter) else "gauge", (Sample((), float(one.value)),))


def _metric(name: str) -> str:
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return plain if re.match(r"[a-zA-Z_]", plain) else f"_{plain}"
