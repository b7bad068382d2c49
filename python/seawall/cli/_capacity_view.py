"""How a capacity search looks in a terminal: pure functions from numbers to things rich can print."""

from __future__ import annotations

import math

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.cli._view import ms
from seawall.measure.load import Capacity, CapacitySearch, CapacityStep

_STYLES = {"passed": "green", "failed": "red", "held back": "bold yellow", "unreached": "bold red"}
_MARKS = {"passed": "●", "failed": "✗", "held back": "?", "unreached": "!"}
_WIDTH, _HEIGHT = 56, 7
_ENDS = {
    "found": "",
    "all passed": "even the highest rate passed: raise --most to look further",
    "none passed": "not even the first rate passed: lower --start, or look at why it failed",
    "steps used": "all steps were used before the interval was as narrow as asked for",
    "generator": "the generator's own limit was met, so the upper end is open",
    "unreachable": "nothing could be reached",
    "not recovered": "the target did not recover from the last overload",
    "interrupted": "interrupted; this is what was known so far",
}


def search_view(search: CapacitySearch) -> RenderableType:
    """What is about to happen."""
    plan = search.search
    grid = _grid()
    grid.add_row("target", Text(search.first.target))
    grid.add_row("thresholds", Text(", ".join(one.text for one in search.thresholds)))
    grid.add_row("rates", f"from {plan.start:,.10g}/s up to {plan.most:,.10g}/s, {search.step:g} s each")
    words = f"an interval of {plan.precision * 100:g} % at {plan.confidence * 100:g} % confidence"
    grid.add_row("goal", f"{words}, at most {plan.max_steps:,} steps")
    return grid


def step_line(number: int, step: CapacityStep) -> Text:
    """A finished step in one line."""
    line = Text(f"{number:3}  {step.rate:>10,.5g}/s  P99 {_p99(step):>11}  ")
    line.append(step.outcome, _STYLES[step.outcome])
    return line.append(f"  {step.reason}", "dim") if step.reason else line


def capacity_view(found: Capacity) -> RenderableType:
    """The steps by rate, their picture, and the answer."""
    views: list[RenderableType] = [steps_view(found), *([Text(line) for line in plot(found)])]
    return Group(*views, Text(), answer_view(found))


def steps_view(found: Capacity) -> RenderableType:
    """All steps, lowest rate first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("step", justify="right", style="dim")
    for head in ("rate", "P99", "errors"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("why", style="dim", ratio=1)
    for number, step in sorted(enumerate(found.steps, 1), key=lambda pair: (pair[1].rate, pair[0])):
        outcome = Text(step.outcome, _STYLES[step.outcome])
        table.add_row(str(number), f"{step.rate:,.5g}/s", _p99(step), _errors(step), outcome, Text(step.reason))
    return table


def answer_view(found: Capacity) -> RenderableType:
    """The rate with its interval, and how far to trust it."""
    grid = _grid()
    low = f"{found.low:,.5g}/s"
    open_end = math.isinf(found.high)
    if found.rate > 0:
        grid.add_row("capacity", Text(f"{'at least ' if open_end else ''}{found.rate:,.5g}/s", "bold green"))
        between = f"{low} or more" if open_end else f"{low} to {found.high:,.5g}/s"
        grid.add_row("interval", f"{between} at {found.confidence * 100:g} % confidence")
    else:
        grid.add_row("capacity", Text("none found", "bold red"))
    grid.add_row("steps", f"{len(found.steps):,}")
    if words := _ENDS[found.ended]:
        held = next((one for one in reversed(found.steps) if one.outcome == "held back"), None)
        at = f" at {held.rate:,.5g}/s: {held.reason}" if found.ended == "generator" and held is not None else ""
        grid.add_row("note", Text(words + at, "bold yellow"))
    return grid


def plot(found: Capacity) -> list[str]:
    """P99 against rate, both on logarithmic scales, with the interval below; nothing for fewer than two points."""
    points = [(one, value) for one in found.steps if (value := _p99_seconds(one)) is not None]
    if len({one.rate for one, _ in points}) < 2:
        return []
    rates, times = [one.rate for one, _ in points], [value for _, value in points]
    across = _Scale(min(rates), max(rates), _WIDTH - 1)
    up = _Scale(min(times), max(times), _HEIGHT - 1)
    rows = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for step, value in points:
        rows[_HEIGHT - 1 - up.place(value)][across.place(step.rate)] = _MARKS[step.outcome]
    labels = [ms(max(times)), *[""] * (_HEIGHT - 2), ms(min(times))]
    lines = [f"{label:>12} │{''.join(row)}".rstrip() for label, row in zip(labels, rows, strict=True)]
    ends = f"{min(rates):,.5g}/s", f"{max(rates):,.5g}/s"
    scale = f"{'':12}  {ends[0]}{ends[1]:>{_WIDTH - len(ends[0])}}"
    legend = f"{'':12}  P99 by rate: ● passed, ✗ failed"
    legend += ", ? held back" if any(one.outcome == "held back" for one, _ in points) else ""
    axis = f"{'':12} └{'─' * _WIDTH}"
    return [*lines, axis, *_interval_line(found, across), scale, legend]


class _Scale:
    """Places of a logarithmic axis, 0 to `last`."""

    def __init__(self, low: float, high: float, last: int) -> None:
        self._low, self._last = math.log(low), last
        self._per = last / (math.log(high) - self._low) if high > low else 0.0

    def place(self, value: float) -> int:
        return min(max(round((math.log(value) - self._low) * self._per), 0), self._last)


def _interval_line(found: Capacity, across: _Scale) -> list[str]:
    if found.low <= 0:
        return []
    a = across.place(found.low)
    b = _WIDTH - 1 if math.isinf(found.high) else across.place(found.high)
    end = "→" if math.isinf(found.high) else "┤"
    bar = "┼" if a == b else "├" + "─" * (b - a - 1) + end
    return [f"{'':12}  {' ' * a}{bar}"]


def _p99_seconds(step: CapacityStep) -> float | None:
    times = step.result.response_time
    return max(float(times.percentile(99.0)), 1e-6) if times.count else None


def _p99(step: CapacityStep) -> str:
    value = _p99_seconds(step)
    return "-" if value is None else ms(value)


def _errors(step: CapacityStep) -> str:
    ended = step.result.completed
    return f"{(ended - step.result.succeeded) / ended:.2%}" if ended else "-"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    return grid
