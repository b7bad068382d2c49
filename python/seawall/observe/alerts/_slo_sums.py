"""Bad and all events of a service level objective, over any stretch of a recording, in one pass."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Labels, Selector, Snapshot
from seawall.observe.alerts._readings import group_of

Tally = dict[tuple[bool, Labels], tuple[float, float]]
Point = tuple[float, float]


@dataclass(slots=True)
class Sums:
    """Bad and all events since the oldest snapshot, of each group, at each snapshot.

    Attributes:
        ats: When the snapshots were taken.
        points: (bad, all) so far, by group; None before a group was seen.
    """

    ats: list[float] = field(default_factory=list)
    points: dict[Labels, list[Point | None]] = field(default_factory=dict)

    def groups(self, now: float) -> list[Labels]:
        """Those that were seen up to now."""
        end = bisect.bisect_right(self.ats, now) - 1
        return sorted(group for group, points in self.points.items() if end >= 0 and points[end] is not None)

    def over(self, group: Labels, seconds: float, now: float) -> tuple[float, float, float] | None:
        """(bad, all, seconds really covered) of the last `seconds`; None where nothing is known."""
        points = self.points.get(group)
        end = bisect.bisect_right(self.ats, now) - 1
        if points is None or end < 1:
            return None
        begin = max(0, bisect.bisect_right(self.ats, now - seconds, hi=end + 1) - 1)
        if begin >= end or points[end] is None:
            return None
        before = points[begin] or (0.0, 0.0)
        bad, total = points[end]  # type: ignore[misc]  # not None, as seen above
        return bad - before[0], total - before[1], self.ats[end] - self.ats[begin]


class Counting:
    """Which events are bad. What was counted of a snapshot is kept as long as the recording holds it.

    Args:
        bad: The counters of bad events; with `within`, a histogram.
        total: The counters of all events; unused with `within`.
        within: A value of the histogram that exceeds this is a bad event.
        by: Labels that make groups.
    """

    def __init__(self, bad: Selector, total: Selector | None, within: float | None, by: tuple[str, ...]) -> None:
        self._bad, self._total, self._within, self._by = bad, total, within, by
        self._known: dict[int, tuple[Snapshot, Tally]] = {}

    def sums(self, snapshots: Sequence[Snapshot]) -> Sums:
        """Over all these, oldest first."""
        known, kept = self._known, {}
        found = Sums()
        before: Tally = {}
        totals: dict[Labels, Point] = {}
        for place, snapshot in enumerate(snapshots):
            entry = known.get(id(snapshot)) or (snapshot, self._tally(snapshot))
            kept[id(snapshot)] = entry
            tally = entry[1]
            self._add(tally, before, totals, first=place == 0)
            before = {**before, **tally}
            found.ats.append(snapshot.at)
            for group, point in totals.items():
                found.points.setdefault(group, [None] * place).append(point)
        self._known = kept
        return found

    def _add(self, tally: Tally, before: Tally, totals: dict[Labels, Point], *, first: bool) -> None:
        for key, (bad, total) in tally.items():
            group = group_of(key[1], self._by)
            was = (bad, total) if first else before.get(key, (0.0, 0.0))
            if bad < was[0] or total < was[1]:
                was = (0.0, 0.0)  # it began anew
            so_far = totals.get(group, (0.0, 0.0))
            totals[group] = (so_far[0] + bad - was[0], so_far[1] + total - was[1])

    def _tally(self, snapshot: Snapshot) -> Tally:
        if self._within is not None:
            return {(True, s.labels): _slow(s.value, self._within) for s in snapshot.select(self._bad)}
        tally = {(True, s.labels): (_count(s.value), 0.0) for s in snapshot.select(self._bad)}
        if self._total is not None:
            tally |= {(False, s.labels): (0.0, _count(s.value)) for s in snapshot.select(self._total)}
        return tally


def _slow(value: float | Distribution, within: float) -> Point:
    if not isinstance(value, Distribution):
        return 0.0, 0.0
    return float(value.count - value.count_below(within)), float(value.count)


def _count(value: float | Distribution) -> float:
    return float(value.count if isinstance(value, Distribution) else value)
