"""How load tests look in a terminal: pure functions from numbers to things rich can print."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.measure import Histogram
from seawall.measure.load import PERCENTILES, Generator, LoadResult, LoadTest, Part, Threshold, sparkline

WIDTH = 48
# How many letters of an error are shown, and from which share on waiting for a processor is told.
_WORDS = 60
_WORTH_A_WORD = 0.01


def plan_view(test: LoadTest) -> RenderableType:
    """What is about to happen."""
    settings = test.settings
    grid = _grid()
    grid.add_row("target", test.target)
    if settings.closed is not None:
        grid.add_row("model", f"{settings.closed.describe()}, for {settings.course.duration:g} s")
        return grid
    plan = test.plan
    words = f"{test.pattern.describe()} for {plan.duration:g} s, {settings.arrivals} arrivals"
    grid.add_row("pattern", words if settings.seed is None else f"{words}, seed {settings.seed}")
    # Chance decides the number of poisson arrivals; the plan only knows their mean.
    about = "about " if settings.seed is not None else ""
    grid.add_row("planned", f"{about}{plan.arrivals:,} requests, at most {settings.max_concurrency:,} at once")
    grid.add_row("", Text(sparkline(plan.levels(WIDTH)), style="cyan"))
    return grid


def result_view(result: LoadResult) -> RenderableType:
    """All that a load test found out."""
    views = [counts_view(result), times_view(result)]
    if len(result.scenarios) > 1:
        views.append(parts_view("scenario", result.scenarios))
    if result.phases:
        views.append(parts_view("phase", result.phases))
    views.append(verdict_view(result))
    return Group(*views, *([thresholds_view(result)] if result.thresholds else []))


def counts_view(result: LoadResult) -> RenderableType:
    """What became of the requests."""
    cut = result.sent - result.completed
    sent = f"{result.sent:,}" + (f" of {result.planned:,} planned" if result.model == "open" else "")
    grid = _grid()
    grid.add_row("sent", sent + (f", {cut:,} cut off" if cut else ""))
    if result.model == "open":
        grid.add_row("late", f"{result.late:,} waited for a place")
        grid.add_row("dropped", Text(f"{result.dropped:,} never sent", style="red" if result.dropped else ""))
    for kind, count in result.outcomes.items():
        share, words = count / result.completed, result.errors.get(kind, "")
        good = not words and (kind in ("ok", "2xx", "3xx", "grpc OK") or result.succeeded == result.completed)
        told = Text(f"{count:,} ({share:.1%})", style="green" if good else "red")
        # The words of the first error of the kind, in one line.
        grid.add_row(kind, told.append(f"  {' '.join(words.split())[:_WORDS]}" if words else "", style="dim"))
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


def parts_view(kind: str, parts: tuple[Part, ...]) -> RenderableType:
    """Scenarios or phases, one a line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(kind)
    for name in ("sent", "failed", "rate", "P50", "P99", "max"):
        table.add_column(name, justify="right")
    table.add_column("", style="dim")
    for part in parts:
        failed = part.completed - part.succeeded
        shown = f"{failed:,}" if not failed else f"{failed:,} ({failed / part.completed:.1%})"
        rate = f"{part.completed / part.duration:,.1f}/s" if part.duration > 0 else "-"
        times = (_percentile(part.response_time, 50), _percentile(part.response_time, 99), _max(part.response_time))
        note = part.ended or ("" if part.counted else "not counted")
        table.add_row(Text(part.name), f"{part.sent:,}", Text(shown, "red" if failed else ""), rate, *times, note)
    return table


def verdict_view(result: LoadResult) -> RenderableType:
    """Whether to believe the numbers."""
    grid = _grid()
    own, engines = result.schedule_error, dict.fromkeys(part.engine for part in result.scenarios)
    if own.count:
        grid.add_row("schedule error", f"P50 {_percentile(own, 50)}, P99 {_percentile(own, 99)}, max {_max(own)}")
    if engines:
        grid.add_row("sent by", ", ".join(engines))
    if result.generator is not None:
        grid.add_row("generator", _health(result.generator))
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


def _health(generator: Generator) -> str:
    words = [f"{generator.cpu:.0%} of a processor"]
    if generator.waited >= _WORTH_A_WORD:
        words.append(f"without one for {generator.waited:.0%} of the run")
    if generator.lag.count:
        words.append(f"loop away for {_percentile(generator.lag, 99)} at P99")
    if generator.processes > 1:
        words.append(f"{generator.processes} processes")
    if generator.lost:
        words.append(f"{generator.lost} of them died")
    return ", ".join(words)


def _percentile(times: Histogram, p: float) -> str:
    return ms(times.percentile(p)) if times.count else "-"


def _max(times: Histogram) -> str:
    return ms(times.max) if times.count else "-"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    return grid
