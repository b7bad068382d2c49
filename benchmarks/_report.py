"""Results in a terminal."""

from __future__ import annotations

from rich.table import Table

from benchmarks._rows import Row, grouped, times


def table(area: str, rows: list[Row]) -> Table:
    """All rows of an area."""
    shown = Table(title=area, title_justify="left", header_style="bold")
    for name, justify in (("case", "left"), ("one", "right"), ("ratio", "right"), ("quartiles", "right")):
        shown.add_column(name, justify=justify)  # type: ignore[arg-type]
    shown.add_column("target")
    for group, members in grouped(rows).items():
        shown.add_section()
        shown.add_row(f"[bold]{group}")
        for row in members:
            shown.add_row(*_cells(row), style="cyan" if row.is_ours else None)
    return shown


def _cells(row: Row) -> list[str]:
    name = f"  {row.library} {row.call}"
    if row.trouble:
        return [name, "", "", "", f"[red]{row.trouble}" if row.is_wrong else row.trouble]
    verdict = row.verdict if row.reached else f"[yellow]{row.verdict}"
    return [name, row.cost, f"{times(row.ratio)} x", f"{times(row.low)} - {times(row.high)}", verdict]
