"""Points of a query over time, each computed once: what is drawn grows by what has come."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from seawall.observe._recording import Recording, Window
from seawall.observe._snapshot import Snapshot
from seawall.observe.panels import Query

POINTS = 120
MOST_LINES = 8


class Point(NamedTuple):
    """The answers of all groups at one time."""

    at: float
    values: dict[tuple[str, ...], float | None]


class Plot:
    """The points of one query over the last `span` seconds.

    Guarantees: at most 120 points, whatever the recording has. A stretch is looked at once, when it is over.

    Args:
        query: What is asked.
        span: Seconds.
    """

    def __init__(self, query: Query, span: float) -> None:
        self._query = query
        self._span = span
        self._every = span / POINTS
        self.points: deque[Point] = deque(maxlen=POINTS)
        self._last: float | None = None

    def update(self, recording: Recording) -> None:
        """Take what has come since."""
        latest = recording.latest
        if latest is None:
            return
        since = latest.at - self._span if self._last is None else self._last
        inside: list[Snapshot] = []
        for snapshot in recording:
            if snapshot.at <= since:
                inside.clear()
            inside.append(snapshot)
        begin = 0
        for place, snapshot in enumerate(inside):
            if place and snapshot.at - inside[begin].at >= self._every * 0.95:
                stretch = Window(tuple(inside[begin : place + 1]))
                self.points.append(Point(snapshot.at, self._query.read(stretch)))
                self._last = snapshot.at
                begin = place
        while self.points and self.points[0].at <= latest.at - self._span:
            self.points.popleft()

    def lines(self, since: float | None) -> tuple[list[dict[str, object]], int]:
        """The lines that are highest, and how many others there are; of their points those after `since`."""
        peaks: dict[tuple[str, ...], float] = {}
        for point in self.points:
            for group, value in point.values.items():
                peaks[group] = max(peaks.get(group, -1.0), -1.0 if value is None else value)
        shown = sorted(sorted(peaks, key=lambda group: (-peaks[group], group))[:MOST_LINES])
        points = [point for point in self.points if since is None or point.at > since]
        return [
            {
                "name": self._query.named(group),
                "points": [[round(point.at, 3), _rounded(point.values.get(group))] for point in points],
            }
            for group in shown
        ], len(peaks) - len(shown)


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(f"{value:.5g}")
