"""What `seawall top` shows: pure functions from a recording to what rich can print."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.observe import Distribution, Family, Recording, Selector, Window
from seawall.observe.dashboard import GuardRow, guard_rows

_WIDE = 110
_QUANTILES, _FEW = (0.5, 0.9, 0.99), (0.5, 0.99)
_BARS = " ▁▂▃▄▅▆▇█"
_TREND = 24
_COLOURS = {"good": "green", "warning": "yellow", "bad": "bold red", "unknown": "dim"}
_PASSED = {
    "breaker": ("seawall_breaker_successes", "seawall_breaker_failures"), "limit": ("seawall_limit_admitted",),
    "limit by key": ("seawall_keyed_limit_admitted",), "bulkhead": ("seawall_bulkhead_admitted",),
    "adaptive limit": ("seawall_adaptive_limit_admitted",), "retry": ("seawall_retry_calls",),
    "fallback": ("seawall_fallback_passed", "seawall_fallback_fell_back"),
}  # fmt: skip
_REFUSED = {
    "breaker": "seawall_breaker_refused", "limit": "seawall_limit_refused",
    "limit by key": "seawall_keyed_limit_refused", "bulkhead": "seawall_bulkhead_refused",
    "adaptive limit": "seawall_adaptive_limit_refused", "retry": "seawall_retry_gave_up",
    "fallback": "seawall_fallback_exhausted",
    "timeout": "seawall_timeout_timed_out", "retry budget": "seawall_retry_budget_refused",
}  # fmt: skip


class _Line(NamedTuple):
    name: str
    labels: str
    now: str
    trend: str
    more: str


def top_view(
    recording: Recording, *, title: str, width: int, height: int, notes: Sequence[str] = (), window: float = 10.0
) -> RenderableType:
    """The whole screen.

    Args:
        recording: Of the segment.
        title: What is looked at.
        width: Columns of the terminal.
        height: Its rows: what does not fit is counted.
        notes: What could not be read.
        window: Seconds that rates and percentiles are over.
    """
    latest = recording.latest
    if latest is None:
        return Text(f"{title}: nothing has been read yet", "dim")
    now = recording.window(window)
    guards, families = guard_rows(latest), [f for f in latest.families if not f.name.startswith("seawall_")]
    room = max(height - 5 - min(len(notes), 3), 6)
    guards_room = room if not families else max(min(len(guards) + 2, room // 2), 5)
    clock = datetime.fromtimestamp(latest.at).astimezone().strftime("%H:%M:%S")
    parts: list[RenderableType] = [
        Text.assemble((title, "bold"), (f"   {clock}, over the last {now.seconds:.0f} s", "dim"), no_wrap=True)
    ]
    if guards:
        parts += [_guards(guards, recording, now, width, guards_room - 2), Text("")]
    if families:
        lines = list(_series(families, recording, now, width))
        parts.append(_metrics(lines, width, room - (guards_room if guards else 0)))
    if not guards and not families:
        parts.append(Text("no limits, breakers or metrics stand in this segment yet", "dim"))
    parts += [Text(f"! {note}", "yellow", no_wrap=True, overflow="ellipsis") for note in notes[:3]]
    return Group(*parts)


def _guards(rows: Sequence[GuardRow], recording: Recording, now: Window, width: int, most: int) -> RenderableType:
    wide = width >= _WIDE
    table = _table("guard", "", "state", ">passed/s", ">refused/s", *(["refused"] if wide else []), ">in all", "")
    for row in rows[:most]:
        refused = Selector(_REFUSED[row.kind], name=row.name)
        passed = [Selector(name, name=row.name) for name in _PASSED.get(row.kind, ())]
        rate = now.rate(refused)
        table.add_row(
            row.name, Text(row.kind, "dim"), Text(row.state, _COLOURS[row.level]),
            _number(_sum(now.rate(one) for one in passed)), Text(_number(rate), "red" if rate else "dim"),
            *([Text(trend(recording, refused), "red")] if wide else []),
            _number(None if row.refused is None else float(row.refused)), Text(row.detail if wide else "", "dim"),
        )  # fmt: skip
    return _with_rest(table, len(rows) - most, "guards")


def _metrics(lines: Sequence[_Line], width: int, most: int) -> RenderableType:
    heads = ["metric", "labels", ">now", *(["", ""] if width >= _WIDE else [""])]
    table = _table(*heads)
    shown = max(most - 3, 3)
    for line in lines[:shown]:
        drawn = [Text(line.trend, "cyan")] if width >= _WIDE else []
        table.add_row(line.name, Text(line.labels, "dim"), line.now, *drawn, line.more)
    # What tells series apart gives way first, numbers never.
    for column, room in zip(table.columns, (min(max(len(line.name) for line in lines), 40), 8), strict=False):
        column.min_width = room
    for column in table.columns[2:]:
        column.min_width = max((len(str(cell)) for cell in column.cells), default=0)
    return _with_rest(table, len(lines) - shown, "series")


def _series(families: Sequence[Family], recording: Recording, now: Window, width: int) -> Iterator[_Line]:
    for family in families:
        for sample in family.samples:
            what = Selector(family.name, **dict(sample.labels))
            labels = " ".join(f"{name}={value}" for name, value in sample.labels)
            if family.kind == "gauge" and not isinstance(sample.value, Distribution):
                yield _Line(family.name, labels, _in(family.unit, sample.value), trend(recording, what, rate=False), "")
                continue
            if isinstance(sample.value, Distribution):
                more = _quantiles(now.distribution(what), family.unit, _QUANTILES if width >= _WIDE else _FEW)
            else:
                more = f"{_in(family.unit, sample.value)} in all"
            yield _Line(family.name, labels, f"{_number(now.rate(what))}/s", trend(recording, what), more)


def _quantiles(came: Distribution | None, unit: str, which: Sequence[float]) -> str:
    if came is None or not came.count:
        return ""
    return "  ".join(f"p{q * 100:g} {_in(unit, came.quantile(q))}" for q in which)


def trend(recording: Recording, what: Selector, *, rate: bool = True) -> str:
    """The last two dozen seconds as bars, as high as the highest of them."""
    window = recording.window(float(_TREND))
    values = [step.rate(what) for step in window.steps()] if rate else [value for _, value in window.series(what)]
    values = values[-_TREND:]
    most = max((value for value in values if value is not None), default=0.0)
    bars = (" " if not value or value < 0 else _BARS[max(1, round(value / most * 8))] for value in values)
    return "".join(bars) if most > 0 else ""


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for head in heads:
        table.add_column(head.removeprefix(">"), justify="right" if head.startswith(">") else "left", no_wrap=True)
    return table


def _with_rest(table: Table, more: int, what: str) -> RenderableType:
    return table if more <= 0 else Group(table, Text(f"and {more:,} more {what}; --once shows all", "dim"))


def _sum(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            return f"{value / (1e3 if size == 1e4 else size):.3g}{letter}"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def _in(unit: str, value: float) -> str:
    if unit == "seconds":
        size, name = (1.0, "s") if value >= 1 else (1e-3, "ms") if value >= 1e-3 else (1e-6, "us")
        return f"{value / size:.3g} {name}"
    if unit == "bytes":
        names = ("B", "KiB", "MiB", "GiB", "TiB")
        power = 0
        while abs(value) >= 1024 and power < len(names) - 1:
            value, power = value / 1024, power + 1
        return f"{value:.4g} {names[power]}"
    return _number(value)
