"""Bad and all events of a service level objective, over any stretch of a recording, in one pass."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Labels, Selector, Snapshot
from seawall.observe.alerts._readings import group_of

Tally = list[tuple[int, int, float, float]]
"""Series, group, bad, all."""
Point = tuple[float, float]
_NOTHING: Point = (0.0, 0.0)
_MOST_SERIES = 100_000


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
        # Numbers in place of labels: a tuple of labels is hashed anew at each look-up.
        self._series: dict[tuple[bool, Labels], tuple[int, int]] = {}
        self._groups: dict[Labels, int] = {}
        self._next = itertools.count()  # two threads never get the same

    def sums(self, snapshots: Sequence[Snapshot]) -> Sums:
        """Over all these, oldest first."""
        if len(self._series) > _MOST_SERIES:  # most of them are long gone
            self._known, self._series, self._groups = {}, {}, {}
        known, kept = self._known, {}
        found = Sums()
        before: dict[int, Point] = {}
        totals: dict[int, Point] = {}
        points: dict[int, list[Point | None]] = {}
        for place, snapshot in enumerate(snapshots):
            entry = known.get(id(snapshot)) or (snapshot, self._tally(snapshot))
            kept[id(snapshot)] = entry
            _add(entry[1], before, totals, first=place == 0)
            found.ats.append(snapshot.at)
            for group, point in totals.items():
                points.setdefault(group, [None] * place).append(point)
        self._known = kept
        labels = {number: group for group, number in self._groups.items()}
        found.points = {labels[number]: each for number, each in points.items()}
        return found

    def _tally(self, snapshot: Snapshot) -> Tally:
        tally: Tally = []
        for labels, value, _ in snapshot.select(self._bad):
            point = (_count(value), 0.0) if self._within is None else _slow(value, self._within)
            tally.append((*self._numbers(True, labels), *point))
        for labels, value, _ in () if self._total is None else snapshot.select(self._total):
            tally.append((*self._numbers(False, labels), 0.0, _count(value)))
        return tally

    def _numbers(self, bad: bool, labels: Labels) -> tuple[int, int]:
        """Of the series and of its group."""
        found = self._series.get((bad, labels))
        if found is None:
            group = self._groups.setdefault(group_of(labels, self._by), next(self._next))
            found = self._series.setdefault((bad, labels), (next(self._next), group))
        return found


def _add(tally: Tally, before: dict[int, Point], totals: dict[int, Point], *, first: bool) -> None:
    """What has come since the snapshot before; a series that was not there, or began anew, began at 0."""
    for series, group, bad, total in tally:
        was = (bad, total) if first else before.get(series, _NOTHING)
        if bad < was[0] or total < was[1]:
            was = _NOTHING
        so_far = totals.get(group, _NOTHING)
        totals[group] = (so_far[0] + bad - was[0], so_far[1] + total - was[1])
        before[series] = (bad, total)


def _slow(value: float | Distribution, within: float) -> Point:
    if not isinstance(value, Distribution):
        return 0.0, 0.0
    return float(value.count - value.count_below(within)), float(value.count)


def _count(value: float | Distribution) -> float:
    return float(value.count if isinstance(value, Distribution) else value)
