"""A section of the results: a table, targets, bars of the chart; as Markdown and in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.table import Table

from benchmarks._case import OURS
from benchmarks._rows import Row


@dataclass(frozen=True)
class Target:
    """What should be reached, what was measured, and whether it was."""

    words: str
    measured: str
    reached: bool

    def __str__(self) -> str:
        return f"{self.words}: {'reached' if self.reached else 'MISSED'}, {self.measured}"


@dataclass
class Section:
    """One question with its answer.

    Args:
        title: The question.
        about: What was done, in a paragraph.
        head: Names of the columns; the first is the generator.
        rows: Cells of the table.
        targets: What should be reached.
        notes: What else must be known to read the table; what was skipped, and why.
        bars: For the chart.
    """

    title: str
    about: str
    head: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bars: list[Row] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """A row of the table."""
        assert len(cells) == len(self.head), cells
        self.rows.append(cells)

    def bar(self, group: str, name: str, value: float) -> None:
        """A bar of the chart; `name` begins with the generator."""
        library, _, call = name.partition(" ")
        self.bars.append(Row(group, library.rstrip(","), call, ns=value, ratio=value))

    def markdown(self) -> list[str]:
        """As lines of a page."""
        lines = [f"## {self.title}", "", self.about, ""]
        lines += [f"| {' | '.join(self.head)} |", f"|---{'|--:' * (len(self.head) - 1)}|"]
        lines += [f"| {' | '.join([_strong(row[0]), *row[1:]])} |" for row in self.rows]
        listed = [*map(str, self.targets), *self.notes]
        return [*lines, "", *(f"- {line}" for line in listed), *([""] if listed else [])]

    def table(self) -> Table:
        """As a table of a terminal."""
        shown = Table(title=self.title, title_justify="left", header_style="bold")
        for place, name in enumerate(self.head):
            shown.add_column(name, justify="right" if place else "left")
        for row in self.rows:
            shown.add_row(*row, style="cyan" if row[0].startswith(OURS) else None)
        return shown


def _strong(name: str) -> str:
    return name.replace(OURS, f"**{OURS}**", 1) if name.startswith(OURS) else name
