"""How comparisons look in a terminal."""

from __future__ import annotations

import math

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.cli._view import ms
from seawall.measure.load import Comparison, Difference

_STYLES = {"same": "green", "faster": "bold green", "slower": "bold red", "cannot tell": "bold yellow"}


def comparison_view(comparison: Comparison) -> RenderableType:
    """Percentile by percentile, then what speaks against the numbers, then the verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", style="dim")
    sides = [name if runs == 1 else f"{name} ({runs} runs)" for name, runs in zip("ab", comparison.runs, strict=True)]
    for head in (*sides, "change", f"interval at {comparison.confidence * 100:g} %"):
        table.add_column(head, justify="right")
    table.add_column("verdict")
    for difference in comparison.differences:
        table.add_row(*_row(difference), Text(difference.verdict, style=_STYLES[difference.verdict]))
    before, after = comparison.errors
    table.add_row("errors", _share(before), _share(after))
    verdict = Text(f"{comparison.verdict}", style=_STYLES[comparison.verdict])
    verdict.append(f" (tolerance {comparison.tolerance * 100:g} %)", style="dim")
    return Group(table, *(Text(note, style="yellow") for note in (*comparison.doubts, *comparison.notes)), verdict)


def _row(one: Difference) -> list[str]:
    if math.isnan(one.change):
        return [f"P{one.percentile:g}", "-", "-", "-", "-"]
    interval = f"{one.low:+.1%} to {one.high:+.1%}"
    return [f"P{one.percentile:g}", ms(one.a), ms(one.b), f"{one.change:+.1%}", interval]


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.2%}"
