"""Results as files: a table and a chart an area."""

from __future__ import annotations

from pathlib import Path

from benchmarks._chart import chart
from benchmarks._machine import machine_line
from benchmarks._rows import Row, grouped, times

RESULTS = Path(__file__).parent / "results"


def write(area: str, rows: list[Row]) -> list[Path]:
    """Rewrite the files of an area."""
    written = [RESULTS / f"{area}.md"]
    drawn = chart(rows)
    if drawn is not None:
        written.append(RESULTS / f"{area}.svg")
        written[-1].write_text(drawn)
    written[0].write_text(document(area, rows, has_chart=drawn is not None))
    return written


def document(area: str, rows: list[Row], *, has_chart: bool) -> str:
    """The whole Markdown page."""
    lines = [f"# {area}", "", machine_line(sorted({row.library for row in rows})), ""]
    lines += ["Written by `python -m benchmarks.run --write`; [how to read it](../README.md).", ""]
    if has_chart:
        lines += [f"![{area}: ours against others]({area}.svg)", ""]
    for group, members in grouped(rows).items():
        lines += [f"## {group}", "", *_table(members), ""]
    return "\n".join(lines)


def _table(rows: list[Row]) -> list[str]:
    if all(row.trouble for row in rows):
        return [f"- {row.library}: {row.trouble}" for row in rows]
    # Ratios in a group are all to time.monotonic(), or all to one case of the group.
    lines = ["| | one | ratio | quartiles | target |", "|---|--:|--:|--:|---|"]
    for row in rows:
        name = f"**{row.library}** {row.call}" if row.is_ours else f"{row.library} {row.call}"
        lines.append(
            f"| {name} | {row.cost} | {times(row.ratio)} | {times(row.low)} - {times(row.high)} | {row.verdict} |"
        )
    return lines
