"""How transactions look in a terminal, and as JSON: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seawall.cli._tx_log import Found
from seawall.distributed.transactions import PARKED, RESOLVED, kind_of

_STYLES = {PARKED: "bold red", RESOLVED: "cyan"}


def list_view(found: list[Found], now_us: int) -> RenderableType:
    """One line for each, and below it why it stands where it does."""
    if not found:
        return Text("no transactions")
    widths = [max(len(word), *(len(_cells(each, now_us)[n]) for each in found)) for n, word in enumerate(_HEADS)]
    lines: list[RenderableType] = [_line(_HEADS, widths, "dim")]
    for each in found:
        lines.append(_line(_cells(each, now_us), widths, _style(each)))
        if each.summary.reason:
            lines.append(Padding(Text(each.summary.reason, style="dim"), (0, 0, 0, 2)))
    return Group(*lines)


_HEADS = ("id", "name", "state", "steps", "since")


def _cells(each: Found, now_us: int) -> tuple[str, ...]:
    one, key = each.summary, each.history.key
    name = one.name if key.kind == "saga" else f"{key.kind} {one.name}".rstrip()
    steps = f"{one.done}/{one.steps}" if one.steps else "-"
    return key.id, name, one.state, steps, _ago(now_us - each.history.entries[-1].at_us)


def _line(cells: tuple[str, ...], widths: list[int], style: str) -> Text:
    line = Text()
    for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        line.append(cell.rjust(width) if n > 2 else cell.ljust(width), style if n == 2 or style == "dim" else "")
        line.append("  " if n < len(widths) - 1 else "")
    return line


def one_line(each: Found) -> RenderableType:
    """What became of one."""
    one, key = each.summary, each.history.key
    line = Text(f"{key.kind} {key.id} ")
    line.append_text(_state(each))
    return line.append(f": {one.reason}" if one.reason else "")


def history_view(found: Found) -> RenderableType:
    """Its head, and each record with its time."""
    one, key, entries = found.summary, found.history.key, found.history.entries
    reader = kind_of(key.kind)
    head = Text(f"{key.kind} {key.id}  {one.name}  ")
    head.append_text(_state(found))
    head.append(f"  {one.done} of {one.steps} steps" if one.steps else "")
    lines = [head]
    if one.reason:
        lines.append(Text(one.reason))
    lines.append(Text(f"begun {_time(entries[0].at_us)}", style="dim"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in entries:
        words = reader.words(entry) if reader is not None else str(dict(entry.data))
        table.add_row(_offset(entry.at_us - entries[0].at_us), entry.what, Text(words))
    return Group(*lines, Text(""), table)


def list_json(each: Found) -> dict[str, Any]:
    """One transaction for programs."""
    one, history = each.summary, each.history
    return {
        "kind": history.key.kind,
        "id": history.key.id,
        "name": one.name,
        "state": one.state,
        "finished": one.finished,
        "parked": one.parked,
        "reason": one.reason,
        "done": one.done,
        "steps": one.steps,
        "begun": _time(history.entries[0].at_us),
        "changed": _time(history.entries[-1].at_us),
    }


def history_json(each: Found) -> dict[str, Any]:
    """One transaction with its records."""
    records = [{"at": _time(e.at_us), "what": e.what, **dict(e.data)} for e in each.history.entries]
    return {**list_json(each), "records": records}


def _state(each: Found) -> Text:
    return Text(each.summary.state, style=_style(each))


def _style(each: Found) -> str:
    state, ends = each.summary.state, each.ends
    if state in ends.well:
        return "green"
    return "yellow" if state in ends.back | ends.going_back else _STYLES.get(state, "")


def _time(at_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds")


def _offset(us: int) -> str:
    seconds = us / 1e6
    return f"+{seconds:.3f} s" if seconds < 1_000 else f"+{timedelta(seconds=round(seconds))}"


def _ago(us: int) -> str:
    seconds = max(0, us / 1e6)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
