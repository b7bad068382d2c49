"""Labels of moments, laid out so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 6.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with its place.

    Args:
        at: Where its line stands.
        text: What it says; empty where there was no room.
        left: Where the text begins.
        lane: The row it stands in, from the plot upwards.
    """

    at: float
    text: str
    left: float = 0.0
    lane: int = 0


def place(
    moments: Sequence[tuple[float, str]], *, low: float, high: float, width: float, most: int = 3
) -> list[Placed]:
    """Give each label the lowest lane with room beside its line; without room it has none.

    Guarantees: no two texts overlap, and none leaves `low` to `high`.

    Args:
        moments: Where each line stands, and its text.
        low: Where the plot begins.
        high: Where it ends.
        width: Of a character.
        most: Lanes there are.
    """
    ends = [low - _GAP] * most
    placed = []
    for at, text in sorted(moments):
        if not text:
            placed.append(Placed(at, ""))
            continue
        shown = text if len(text) <= 24 else text[:23] + "…"
        needed = len(shown) * width
        left = max(min(at - 2, high - needed), low)
        lane = next((i for i, end in enumerate(ends) if left >= end + _GAP), None)
        if lane is None or needed > high - low:
            placed.append(Placed(at, ""))
            continue
        ends[lane] = left + needed
        placed.append(Placed(at, shown, left, lane))
    return placed
