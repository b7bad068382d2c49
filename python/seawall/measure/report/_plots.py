"""The plots of one run."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.measure._histogram import Histogram
from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format, _scale, _series
from seawall.measure.report._chart import NORMAL, SMALL, Chart, Unit
from seawall.measure.report._markup import Markup
from seawall.measure.report._scale import Scale

# Colour and dash both tell a curve from the others.
STYLES = tuple(f"s{(0, 1, 2, 4, 3, 5)[i % 6]}{('', ' dash', ' dots')[(i + i // 6) % 3]}" for i in range(18))
_TIME = "time since the start of the run"


def percentile_curve(curves: Sequence[tuple[str, Histogram]], title: str, *below: Markup) -> Markup | None:
    """Percentile curves on the scale where each nine takes as much room."""
    drawn = [(name, times) for name, times in curves if times.count]
    if not drawn:
        return None
    lines = [(name, _series.curve(times)) for name, times in drawn]
    y = _scale.fitting([value for _, points in lines for _, value in points], _format.seconds)
    about = "; ".join(f"{name}: {percentile_words(times)}" for name, times in drawn)
    x = _scale.percentiles(max(times.count for _, times in drawn))
    chart = Chart(title, about, x, y, "s", "percentile of requests", axis="percentile")
    for (name, points), style in zip(lines, _styles(len(lines)), strict=True):
        chart.line(name, list(points), style)
    return chart.figure(*below)


def percentile_words(times: Histogram) -> str:
    """The main percentiles in a sentence."""
    p50, p99 = times.percentiles([50, 99])
    return f"P50 {_format.seconds(p50)}, P99 {_format.seconds(p99)}, longest {_format.seconds(times.max)}"


def distribution(times: Histogram, *below: Markup) -> Markup | None:
    """How many requests took how long, in bars of equal ratio."""
    if not times.count:
        return None
    edges, counts = times.buckets(44, scale="log")
    x = _scale.logarithmic(float(edges[0]), float(edges[-1]), _format.seconds, most=7)
    y = _scale.linear(float(counts.max()), _format.digits)
    about = f"{times.count:,} requests; {percentile_words(times)}"
    chart = Chart("How many took how long", about, x, y, "", "response time", axis="length")
    chart.bars("requests", edges.tolist(), counts.tolist(), "s0")
    p50, p99 = times.percentiles([50, 99])
    chart.events([(p50, "P50"), (p99, "P99")])
    return chart.figure(*below)


def throughput(result: LoadResult, *, top: float = 0.0, small: float = 0.0, title: str = "Throughput") -> Markup:
    """The planned rate as an area, what was sent, what ended well, and what failed."""
    series, width = result.throughput, result.throughput.interval
    planned, sent = _series.slices(result, series.planned), _series.slices(result, series.sent)
    well, bad = _series.slices(result, series.succeeded), _series.slices(result, _series.failed(result))
    y = _scale.linear(max(top, highest_rate(result)), _rate_label, most=3 if small else 5)
    about = f"{result.sent:,} of {result.planned:,} planned requests sent, {result.succeeded:,} succeeded"
    chart = _on_time(result, title, about, y, "/s", small=small)
    chart.steps("planned", planned, width, "plan", area=True)
    if not small:
        chart.steps("sent", sent, width, "s4 dash")
        chart.steps("ended", _series.slices(result, series.completed), width, "s5 dots")
    chart.steps("succeeded", well, width, "s0")
    chart.steps("failed", bad, width, "s3", area=True)
    return chart.figure()


def highest_rate(result: LoadResult) -> float:
    """The highest point of a throughput plot."""
    series = result.throughput
    return max([*series.planned, *series.sent, *series.completed], default=0.0) / series.interval


def latency(
    result: LoadResult, *below: Markup, y: Scale | None = None, small: float = 0.0, title: str = "Response time"
) -> Markup | None:
    """Percentiles of the response time block by block, and the slowest answer of each moment."""
    if not any(block.histogram.count for block in result.blocks):
        return None
    levels = [(f"P{p}", _series.block_percentiles(result, p)) for p in (50, 90, 99)]
    worst, width = _series.slowest(result)
    about = f"response time over the run; {percentile_words(result.response_time)}"
    y = _scale.fitting(latency_values(result), _format.seconds) if y is None else y
    chart = _on_time(result, title, about, y, "s", small=small)
    chart.steps("longest", worst, width, "s5 thin")
    for (name, points), style in zip(levels, ("s2", "s0", "s1"), strict=True):
        if not small or name != "P90":
            chart.steps(name, points, _series.block_width(result), style)
    return chart.figure(*below)


def latency_values(result: LoadResult) -> list[float]:
    """All that a plot of the response time has to hold."""
    ends = [_series.block_percentiles(result, p) for p in (50, 99)]
    return [y for _, y in [*ends[0], *ends[1], *_series.slowest(result)[0]] if y is not None]


def trouble(result: LoadResult) -> Markup | None:
    """Failed and late requests over time; None where there were none."""
    series = result.throughput
    bad, late = _series.failed(result), series.late
    if not any(bad) and not any(late):
        return None
    y = _scale.linear(max([*bad, *late]) / series.interval, _rate_label)
    about = f"{sum(bad):,} requests failed and {result.late:,} were late"
    chart = _on_time(result, "Failed and late requests", about, y, "/s")
    chart.steps("failed", _series.slices(result, bad), series.interval, "s3", area=True)
    if any(late):
        chart.steps("late (waited for a place)", _series.slices(result, late), series.interval, "s1 dash")
    return chart.figure()


def waiting(result: LoadResult) -> Markup | None:
    """Requests under way over time."""
    points = _series.under_way(result)
    if not points:
        return None
    most = max(y or 0 for _, y in points)
    about = f"at most {most:,.0f} requests were sent and not ended at the end of a slice"
    chart = _on_time(result, "Requests under way", about, _scale.linear(most, _format.digits), "")
    chart.line("under way at the end of a slice", points, "s4")
    return chart.figure()


def received(result: LoadResult) -> Markup | None:
    """Bytes a second over time; None where none came."""
    series = result.throughput
    if not any(series.bytes):
        return None
    points = _series.slices(result, series.bytes)
    y = _size_scale(max(y or 0 for _, y in points))
    about = f"{_format.size(sum(series.bytes))} received in all"
    chart = _on_time(result, "Data received", about, y, "B/s")
    chart.steps("bodies of responses", points, series.interval, "s2", area=True)
    return chart.figure()


def own_delay(result: LoadResult) -> Markup | None:
    """The generator's own delays as percentile curves."""
    curves = [("schedule error", result.schedule_error)]
    if result.generator is not None:
        curves.append(("lag of its loop", result.generator.lag))
    return percentile_curve(curves, "The generator's own delay")


def _on_time(result: LoadResult, title: str, about: str, y: Scale, unit: Unit, *, small: float = 0.0) -> Chart:
    # A small plot says how long its axis is, so that it can stand beside others.
    x = _scale.moments(small or _series.span(result), most=4 if small else 8)
    chart = Chart(title, about, x, y, unit, _TIME, size=SMALL if small else NORMAL)
    if result.warmup and not any(not part.counted for part in result.phases):
        chart.band(0.0, result.warmup, "warm-up", odd=True)
    for i, part in enumerate(result.phases):
        chart.band(part.start, part.start + part.duration, part.name, odd=i % 2 == 0)
    if not small:
        chart.events([(note.at, note.name) for note in result.notes])
    return chart


def _rate_label(value: float) -> str:
    return _format.rate(value) if value else "0"


def _size_scale(top: float) -> Scale:
    # Round numbers of the unit that is written: 200 KiB, not 195.3 KiB.
    step = 1024.0 ** next((i for i in (3, 2, 1) if top >= 1024**i), 0)
    plain = _scale.linear(top / step, _format.digits)
    ticks = tuple((value * step, f"{_format.size(value * step)}/s" if value else "0") for value, _ in plain.ticks)
    return Scale(0.0, plain.high * step, ticks)


def _styles(n: int) -> list[str]:
    return [STYLES[i % len(STYLES)] for i in range(n)]
