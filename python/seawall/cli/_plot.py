"""A plot of a few rows of text: what was asked as a line, what succeeded as an area, what failed as marks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

_AREA = " ▁▂▃▄▅▆▇█"
# A line at a quarter of a cell, from the bottom.
_LINE = "⣀⠤⠒⠉"
_MARK, _AXIS = "✗", "─"


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn, one value a column.

    Args:
        asked: Rates by the plan, over the whole run.
        done: Rates of successes; nothing yet where it is still to come.
        failed: Whether anything failed.
        now: How far the run is, 0 to 1.
    """

    asked: Sequence[float]
    done: Sequence[float]
    failed: Sequence[bool]
    now: float


def plot(curves: Curves, *, rows: int) -> list[Text]:
    """The rows from top to bottom, then an axis with the failures on it; the highest rate stands at its left."""
    top = max([*curves.asked, *curves.done, 1e-9])
    columns = len(curves.asked)
    reached = min(int(curves.now * columns), columns)
    cells = [_column(asked / top, done / top, rows) for asked, done in zip(curves.asked, curves.done, strict=True)]
    lines = []
    for row in reversed(range(rows)):
        label = f"{top:,.0f}/s" if row == rows - 1 else ""
        parts = [column[row] for column in cells]
        ahead = [(character, "dim") for character, _ in parts[reached:]]
        lines.append(_line(label, parts[:reached] + ahead))
    return [*lines, _axis(curves, reached)]


def _axis(curves: Curves, reached: int) -> Text:
    marks = [(_MARK, "red") if failed else (_AXIS, "dim") for failed in curves.failed]
    return _line("0", [(character, style if i < reached else "dim") for i, (character, style) in enumerate(marks)])


def _line(label: str, parts: Sequence[tuple[str, str]]) -> Text:
    # One span for neighbours of one style: a span for each character would take most of a frame's time.
    spans = itertools.groupby(parts, key=lambda part: part[1])
    words = [("".join(character for character, _ in group), style) for style, group in spans]
    return Text.assemble((f"{label:>8} ", "dim"), *words, no_wrap=True)


def _column(asked: float, done: float, rows: int) -> list[tuple[str, str]]:
    """One column from bottom to top: characters and styles."""
    area = round(min(done, 1.0) * rows * 8)
    # The line of the highest rate is in the highest quarter of the highest row.
    line = min(int(asked * rows * 4), rows * 4 - 1)
    column = []
    for row in range(rows):
        filled = min(max(area - row * 8, 0), 8)
        if filled == 0 and line // 4 == row and asked > 0:
            column.append((_LINE[line % 4], "cyan"))
        else:
            column.append((_AREA[filled], "green"))
    return column
