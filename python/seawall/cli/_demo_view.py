"""How the demo looks in a terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.cli._view import ms, rates_view
from seawall.measure.load import LoadResult, Pattern

REFUSED = "status 429"


@dataclass(frozen=True, slots=True)
class Round:
    """One pattern of the demo and what came of it."""

    pattern: Pattern
    result: LoadResult


def round_view(one: Round, *, limit: float) -> RenderableType:
    """One pattern: what was asked, what came through, and both over time."""
    result = one.result
    refused = result.outcomes.get(REFUSED, 0)
    other = result.completed - result.succeeded - refused
    facts = [
        f"planned {result.planned:,}",
        f"sent {result.sent:,}",
        f"let through {result.succeeded:,}",
        f"refused {refused:,}",
        *([f"failed {other:,}"] if other else []),
        *([f"P50 {ms(result.response_time.percentile(50))}"] if result.completed else []),
        *([f"P99 {ms(result.response_time.percentile(99))}"] if result.completed else []),
    ]
    title = Text.assemble((one.pattern.describe(), "bold"), (f"  (limit {limit:g}/s)", "dim"))
    return Group(title, rates_view(result.throughput), Text("  ".join(facts)), *_doubts(result), "")


def summary_view(rounds: list[Round], *, limit: float, burst: int) -> RenderableType:
    """What the bucket promised against what it let through, per pattern and in all."""
    note = "at most: burst + rate x seconds, what a full bucket may let through"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=note, caption_justify="left")
    table.add_column("pattern")
    for name in ("seconds", "asked", "refused", "let through", "at most", "kept"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in rounds:
        table.add_row(type(one.pattern).__name__.lower(), *_row(one.result, limit=limit, burst=burst))
    return table


def promised(result: LoadResult, *, limit: float, burst: int) -> int:
    """The most a full bucket may let through in the time the run took."""
    return burst + math.floor(limit * result.duration)


def _row(result: LoadResult, *, limit: float, burst: int) -> list[RenderableType]:
    most = promised(result, limit=limit, burst=burst)
    kept = Text("yes", "green") if result.succeeded <= most else Text("no", "bold red")
    counts = [result.sent, result.outcomes.get(REFUSED, 0), result.succeeded, most]
    return [f"{result.duration:.1f}", *(f"{count:,}" for count in counts), kept]


def _doubts(result: LoadResult) -> list[RenderableType]:
    return [] if result.verdict.valid else [Text(str(result.verdict), style="yellow")]
