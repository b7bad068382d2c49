"""A load test under way as one block of a terminal: pure functions from what it tells to what rich can print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from seawall.cli._plot import Curves, plot
from seawall.cli._view import ms
from seawall.measure.load import Progress, Recent

_KINDS = 3
_ROWS = 4


def live_view(progress: Progress, levels: Sequence[float], *, width: int, title: str = "") -> RenderableType:
    """The block.

    Args:
        progress: The run so far.
        levels: The plan's rate in equal parts of the whole run, warm-up included; nothing where the target decides.
        width: Columns of the terminal.
        title: What stands above it.
    """
    lines: list[RenderableType] = [Text(title, "bold", no_wrap=True, overflow="ellipsis")] if title else []
    lines += [_bar(progress, width), _rates(progress), *_times(progress), _outcomes(progress, width)]
    lines += list(_plot(progress, levels, width))
    lines += [Text(f"! {doubt}", "yellow", no_wrap=True, overflow="ellipsis") for doubt in progress.doubts[:1]]
    return Group(*lines)


def _bar(progress: Progress, width: int) -> Text:
    left = max(progress.duration - progress.elapsed, 0.0)
    words = f"{min(progress.elapsed, progress.duration):.1f} of {progress.duration:g} s"
    if not left and progress.under_way:
        words += ", waiting for answers"
    words += f", phase {progress.phase}" if progress.phase else f", {left:.0f} s left" if left else ""
    cells = max(width - len(words) - 2, 10)
    done = min(round(cells * progress.elapsed / progress.duration), cells)
    return Text.assemble(("━" * done, "cyan"), ("─" * (cells - done), "dim"), "  ", words, no_wrap=True)


def _rates(progress: Progress) -> Text:
    now = progress.recent
    asked, reached = ("-", "-") if now is None else (f"{now.asked:,.0f}/s", f"{now.sent:,.0f}/s")
    late = ("yellow", "") if progress.late else ("dim", "dim")
    return Text.assemble(
        ("asked ", "dim"), (f"{asked:<10}", "cyan"), ("sent ", "dim"), f"{reached:<10}",
        ("succeeded ", "dim"), ("-" if now is None else f"{now.succeeded:,.0f}/s", "green"),
        ("  in flight ", "dim"), f"{progress.under_way:,}", ("  late ", "dim"), (f"{progress.late:,}", late[0]),
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip


def _times(progress: Progress) -> list[Text]:
    heads = "".join(f"{head:>13}" for head in ("P50", "P90", "P99", "max"))
    lines = [Text(f"{'response time':<14}{heads}", "dim", no_wrap=True), _row("so far", progress)]
    if progress.recent is not None:
        lines.append(_row(f"last {progress.recent.seconds:.1f} s", progress.recent))
    return lines


def _row(name: str, times: Progress | Recent) -> Text:
    values = "".join(f"{_ms(value):>13}" for value in (times.p50, times.p90, times.p99, times.max))
    return Text.assemble((f"{name:<14}", "dim"), values, no_wrap=True)


def _ms(value: float | None) -> str:
    return "-" if value is None else ms(value)


def _outcomes(progress: Progress, width: int) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append("ended  ", "dim")
    total = max(progress.completed, 1)
    kinds = list(progress.outcomes.items())
    for kind, count in kinds[:_KINDS]:
        line.append(f"{kind} ", "green" if kind in ("2xx", "3xx", "ok") else "red")
        line.append(f"{count:,} ({count / total:.1%})   ")
    more = sum(count for _, count in kinds[_KINDS:])
    if more:
        line.append(f"{more:,} other ({more / total:.1%})", "red")
    line.truncate(width, overflow="ellipsis")
    return line


def _plot(progress: Progress, levels: Sequence[float], width: int) -> list[Text]:
    columns = max(width - 10, 10)
    curves = Curves(
        asked=resampled(levels, progress.duration, columns, progress.duration),
        done=over_time(progress, progress.throughput.succeeded, columns),
        failed=[rate > 0 for rate in over_time(progress, failures(progress), columns)],
        now=min(progress.elapsed / progress.duration, 1.0),
    )
    return plot(curves, rows=_ROWS)


def failures(progress: Progress) -> list[int]:
    """Requests that ended otherwise than well, over time."""
    through = progress.throughput
    return [ended - well for ended, well in zip(through.completed, through.succeeded, strict=True)]


def over_time(progress: Progress, counts: Sequence[float], columns: int) -> list[float]:
    """Counts per slice as rates in equal parts of the whole run, as far as they are over."""
    if not counts:
        return [0.0] * columns
    interval = progress.throughput.interval
    edges = np.minimum(np.arange(len(counts) + 1) * interval, max(progress.elapsed, interval))
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    at = np.linspace(0, progress.duration, columns + 1)
    rates: list[float] = (np.diff(np.interp(at, edges, sums)) * columns / progress.duration).tolist()
    # A part that has only begun would look like a slump.
    whole = min(int(progress.elapsed / progress.duration * columns), columns)
    return rates[:whole] + [0.0] * (columns - whole)


def resampled(levels: Sequence[float], duration: float, columns: int, span: float) -> list[float]:
    """Rates in equal parts of `duration` seconds as rates in `columns` equal parts of `span` seconds."""
    if not levels:
        return [0.0] * columns
    sums = np.concatenate([[0.0], np.cumsum(levels)]) * duration / len(levels)
    at = np.linspace(0, span, columns + 1)
    rates: list[float] = (
        np.diff(np.interp(at, np.linspace(0, duration, len(levels) + 1), sums)) * columns / span
    ).tolist()
    return rates
