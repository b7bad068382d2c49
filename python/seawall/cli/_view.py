"""How load tests look in a terminal: pure functions from numbers to things rich can print."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.measure import Histogram
from seawall.measure.load import PERCENTILES, LoadResult, LoadTest, Threshold, sparkline

WIDTH = 48


def plan_view(test: LoadTest) -> RenderableType:
    """What is about to happen."""
    plan = test.plan
    levels = plan.levels(WIDTH)
    settings = test.settings
    words = f"{test.pattern.describe()} for {plan.duration:g} s, {settings.arrivals} arrivals"
    grid = _grid()
    grid.add_row("target", test.target)
    grid.add_row("pattern", words if settings.seed is None else f"{words}, seed {settings.seed}")
    # Chance decides the number of poisson arrivals; the plan only knows their mean.
    about = "about " if settings.seed is not None else ""
    grid.add_row("planned", f"{about}{plan.arrivals:,} requests, at most {settings.max_concurrency:,} at once")
    grid.add_row("", Text(sparkline(levels), style="cyan"))
    return grid


def result_view(result: LoadResult) -> RenderableType:
    """All that a load test found out."""
    views = [counts_view(result), times_view(result), verdict_view(result)]
    return Group(*views, *([thresholds_view(result)] if result.thresholds else []))


def counts_view(result: LoadResult) -> RenderableType:
    """What became of the requests."""
    cut = result.sent - result.completed
    sent = f"{result.sent:,} of {result.planned:,} planned"
    grid = _grid()
    grid.add_row("sent", sent + (f", {cut:,} cut off" if cut else ""))
    grid.add_row("late", f"{result.late:,} waited for a place")
    grid.add_row("dropped", Text(f"{result.dropped:,} never sent", style="red" if result.dropped else ""))
    for kind, count in result.outcomes.items():
        share = count / result.completed
        grid.add_row(kind, Text(f"{count:,} ({share:.1%})", style="green" if kind in ("2xx", "3xx") else "red"))
    if result.first_error is not None:
        grid.add_row("first error", Text(result.first_error))
    seconds = max(result.duration, 1e-9)
    size = sum(result.throughput.bytes) / seconds
    grid.add_row(
        "throughput", f"{result.completed / seconds:,.1f} requests/s, {size / 1024:,.1f} KiB/s in {seconds:.1f} s"
    )
    return grid


def times_view(result: LoadResult) -> RenderableType:
    """Response and service time side by side."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", style="dim")
    table.add_column("response time", justify="right")
    table.add_column("service time", justify="right")
    rows = [(f"P{p:g}", _percentile(result.response_time, p), _percentile(result.service_time, p)) for p in PERCENTILES]
    for row in [*rows, ("max", _max(result.response_time), _max(result.service_time))]:
        table.add_row(*row)
    return Group(table, Text("response time: from due to answered; service time: from sent to answered\n", "dim"))


def verdict_view(result: LoadResult) -> RenderableType:
    """Whether to believe the numbers."""
    grid = _grid()
    own = result.schedule_error
    grid.add_row("schedule error", f"P50 {_percentile(own, 50)}, P99 {_percentile(own, 99)}, max {_max(own)}")
    grid.add_row("verdict", Text(str(result.verdict), style="bold green" if result.verdict.valid else "bold yellow"))
    return grid


def thresholds_view(result: LoadResult) -> RenderableType:
    """Each threshold with what was measured, and whether it was kept."""
    grid = _grid()
    for outcome in result.thresholds:
        word = Text("ok", style="green") if outcome.passed else Text("FAILED", style="bold red")
        shown = Threshold.parse(outcome.text).show(outcome.measured)
        grid.add_row("threshold", Text(outcome.text), Text(shown), word)
    return grid


def ms(seconds: float) -> str:
    """A time in milliseconds, or in seconds from ten on."""
    return f"{seconds * 1e3:,.2f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def _percentile(times: Histogram, p: float) -> str:
    return ms(times.percentile(p)) if times.count else "-"


def _max(times: Histogram) -> str:
    return ms(times.max) if times.count else "-"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    return grid
