"""Several runs beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from seawall.measure.load.comparison._comparison import Comparison, Difference
from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format, _plots, _run, _scale, _series, _tables, _words
from seawall.measure.report._markup import Child, Markup, folded, table, tag, together

_COLOURS = {"same": "good", "faster": "good", "slower": "bad", "cannot tell": "warn"}
_OPEN_UP_TO = 2


class Run(NamedTuple):
    """A run in a report.

    Args:
        name: What it is called; within a group, what tells it from the others, such as `with guards`.
        result: What it found out.
        group: Runs of one group stand side by side on one scale.
    """

    name: str
    result: LoadResult
    group: str = ""

    @property
    def full_name(self) -> str:
        """The name with its group."""
        return ", ".join(part for part in (self.group, self.name) if part)


def overview(runs: Sequence[Run], comparison: Comparison | None) -> Markup:
    """What tells the runs from each other."""
    compared = _section("Comparison", comparison_table(comparison, _two(runs))) if comparison else None
    return together(
        compared,
        _section("Side by side", together(_summary(runs), *_grids(runs))),
        _section("Percentiles", _overlays(runs)),
    )


def sections(runs: Sequence[Run]) -> Markup:
    """Each run on its own; folded up where they are many."""
    made = []
    for i, one in enumerate(runs, 1):
        words, colour = _words.standing(one.result)
        head = tag("summary", one.full_name, tag("span", words, class_=f"{colour}-word"))
        body = _run.run(one.result, level=3)
        opened = "" if len(runs) <= _OPEN_UP_TO else None
        made.append(tag("details", head, body, class_="run", id=f"run-{i}", data_run=str(i), open=opened))
    return _section("Run by run", together(*made))


def comparison_table(comparison: Comparison, names: tuple[str, str] = ("a", "b")) -> Markup:
    """The verdict of a comparison, its table, and what speaks against it."""
    verdict, tolerance = comparison.verdict, _format.share(comparison.tolerance)
    doubts = [f"P{one.percentile:g}: {one.reason}" for one in comparison.differences if one.reason]
    doubts += [*comparison.doubts, *comparison.notes]
    more = tag("ul", *(tag("li", doubt) for doubt in doubts)) if doubts else None
    words = tag("strong", f"{names[1]} is {verdict}" if verdict in ("slower", "faster") else verdict.capitalize())
    title = tag("p", f"Changes up to {tolerance} do not matter. The intervals hold together.")
    interval = f"interval at {_format.share(comparison.confidence)}"
    banner = tag("div", words, title, more, class_=f"banner {_COLOURS[verdict]}")
    rows: list[list[Child]] = [_difference(one) for one in comparison.differences]
    before, after = comparison.errors
    rows.append(["failed", _format.share(before), _format.share(after), "", "", ""])
    return together(banner, table(["response time", *names, "change", interval, "verdict"], rows, words=(5,)))


def _difference(one: Difference) -> list[Child]:
    p, a, b = one.percentile, one.a, one.b
    word = tag("span", one.verdict, class_=f"{_COLOURS[one.verdict]}-word")
    if math.isnan(one.change):
        return [_format.level(p), *[_format.NOTHING] * 4, word]
    interval = f"{one.low:+.1%} to {one.high:+.1%}"
    return [_format.level(p), _format.seconds(a), _format.seconds(b), f"{one.change:+.1%}", interval, word]


def _two(runs: Sequence[Run]) -> tuple[str, str]:
    # Of more than two files a comparison says only which side they were on.
    return (runs[0].full_name, runs[1].full_name) if len(runs) == 2 else ("a", "b")


def _summary(runs: Sequence[Run]) -> Markup:
    head = ["run", "P50", "P90", "P99", "P99.9", "longest", "ended", "succeeded", "late", "dropped", "verdict"]
    return table(head, [_summary_row(i, one) for i, one in enumerate(runs, 1)], words=(10,))


def _summary_row(number: int, one: Run) -> list[Child]:
    result, (words, colour) = one.result, _words.standing(one.result)
    times = result.response_time
    figures = [_format.NOTHING] * 5
    if times.count:
        figures = [_format.seconds(value) for value in (*times.percentiles([50, 90, 99, 99.9]), times.max)]
    return [
        tag("a", one.full_name or f"run {number}", href=f"#run-{number}"),
        *figures,
        _format.rate(result.completed / max(result.duration, 1e-9)),
        _format.share(result.succeeded / max(result.completed, 1)),
        f"{result.late:,}",
        f"{result.dropped:,}",
        tag("span", words, class_=f"{colour}-word roomy"),
    ]


def _grids(runs: Sequence[Run]) -> list[Markup]:
    groups: dict[str, list[Run]] = {}
    for one in runs:
        groups.setdefault(one.group, []).append(one)
    return [_grid(name, members) for name, members in groups.items()]


def _grid(name: str, runs: Sequence[Run]) -> Markup:
    top = max(_plots.highest_rate(one.result) for one in runs)
    values = [value for one in runs for value in _plots.latency_values(one.result)]
    y, span = _scale.fitting(values, _format.seconds, most=5), max(_series.span(one.result) for one in runs)
    rates = [_plots.throughput(one.result, top=top, small=span, title=f"{one.name}: throughput") for one in runs]
    times = [_plots.latency(one.result, y=y, small=span, title=f"{one.name}: response time") for one in runs]
    # Two runs fill a row of four; more go in pairs of throughput and time.
    cells = [*rates, *times] if len(runs) <= 2 else [cell for pair in zip(rates, times, strict=True) for cell in pair]
    return together(tag("h3", name) if name else None, tag("div", *cells, class_="minis"))


def _overlays(runs: Sequence[Run]) -> Markup:
    groups: dict[str, list[Run]] = {}
    for one in runs:
        groups.setdefault(one.group, []).append(one)
    figures = [_overlay(name, members) for name, members in groups.items()]
    return tag("div", *(figure for figure in figures if figure), class_="plots")


def _overlay(group: str, runs: Sequence[Run]) -> Markup | None:
    named = [(one.name, one.result.response_time) for one in runs]
    title = f"Response time: {group}" if group else "Response time"
    return _plots.percentile_curve(named, title, folded("numbers", _tables.percentiles(named)))


def _section(title: str, body: Child) -> Markup:
    return tag("section", tag("h2", title), body)
