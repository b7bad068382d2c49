"""Fewer points for the same picture."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float | None]
MOST_POINTS = 720


def envelope(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most about `most` points: of neighbours that share a column the smallest and the largest stay, and gaps stay.

    Guarantees: the largest and the smallest value are kept, so a spike of one slice never vanishes. Order is kept.

    Args:
        points: (x, y) by ascending x; a y of None is a gap.
        most: Above so many, columns are made.

    Example:
        >>> envelope([(0, 1.0), (1, 9.0), (2, 1.0), (3, 2.0), (4, 2.0), (5, 2.0)], most=4)
        [(0, 1.0), (1, 9.0), (3, 2.0), (3, 2.0)]
    """
    if len(points) <= most:
        return list(points)
    columns = max(most // 2, 1)
    kept: list[Point] = []
    for column in range(columns):
        kept += _ends(points[len(points) * column // columns : len(points) * (column + 1) // columns])
    return kept


def _ends(points: Sequence[Point]) -> list[Point]:
    known = [(y, x) for x, y in points if y is not None]
    gaps: list[Point] = [(x, None) for x, y in points if y is None]
    if not known:
        return gaps[:1]
    ends = (min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0]))
    return sorted([*((x, y) for y, x in ends), *gaps[:1]], key=lambda one: one[0])
