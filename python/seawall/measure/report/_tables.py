"""The numbers of one run as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seawall.errors import ConfigError
from seawall.measure._histogram import Histogram
from seawall.measure.load._thresholds import Threshold, ThresholdOutcome
from seawall.measure.load.result._parts import Part
from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format, _series
from seawall.measure.report._markup import Child, Markup, folded, table, tag, together

LEVELS = (0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0)
_MOST_ROWS = 200
_WELL = frozenset({"1xx", "2xx", "3xx", "ok", "grpc OK"})


def percentiles(named: Sequence[tuple[str, Histogram]]) -> Markup:
    """Percentiles side by side."""
    rows: list[list[Child]] = [[_level_name(p), *(_percentile(times, p) for _, times in named)] for p in LEVELS]
    rows.append(["mean", *(_format.seconds(times.mean) for _, times in named)])
    rows.append(["count", *(f"{times.count:,}" for _, times in named)])
    return table(["", *(name for name, _ in named)], rows)


def bars(times: Histogram) -> Markup:
    """What the bars of the distribution stand for."""
    edges, counts = times.buckets(44, scale="log")
    rows: list[list[Child]] = [
        [f"{_format.seconds(float(a))} to {_format.seconds(float(b))}", f"{int(n):,}"]
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        if n
    ]
    return folded("numbers", table(["response time", "requests"], rows))


def blocks(result: LoadResult) -> Markup:
    """Percentiles of the response time block by block."""
    whole = _series.span(result)
    rows: list[list[Child]] = [
        [
            _format.moment(result.warmup + block.start, span=whole),
            f"{block.histogram.count:,}",
            *(_percentile(block.histogram, p) for p in (50, 90, 99, 100)),
        ]
        for block in result.blocks
    ]
    head = ["requests due from", "ended", "P50", "P90", "P99", "longest"]
    return folded("numbers", table(head, rows))


def slices(result: LoadResult) -> Markup:
    """The counts over time; of a long run, several slices a row."""
    series = result.throughput
    n = len(series.sent)
    each = max(1, math.ceil(n / _MOST_ROWS))
    columns: list[tuple[str, Sequence[float]]] = [
        ("planned", series.planned),
        ("sent", series.sent),
        ("ended", series.completed),
        ("succeeded", series.succeeded),
        ("failed", _series.failed(result)),
        ("late", series.late or [0] * n),
        ("bytes", series.bytes),
    ]
    rows = [_slice_row(result, i, min(i + each, n), columns) for i in range(0, n, each)]
    unit = f"each row is {_format.seconds(each * series.interval)} of the run"
    return folded("numbers over time", table(["from", *(name for name, _ in columns), "longest"], rows, caption=unit))


def thresholds(outcomes: Sequence[ThresholdOutcome]) -> Markup:
    """Each threshold, what was measured, and whether it was kept."""
    rows: list[list[Child]] = [[one.text, measured(one), _kept(one.passed)] for one in outcomes]
    return table(["threshold", "measured", ""], rows, words=(1, 2))


def measured(outcome: ThresholdOutcome) -> str:
    """What was measured, in the unit of the threshold."""
    try:
        return Threshold.parse(outcome.text).show(outcome.measured)
    except ConfigError:  # of a version that knows other thresholds
        return _format.NOTHING if outcome.measured is None else _format.digits(outcome.measured)


def outcomes(result: LoadResult) -> Markup:
    """How requests ended, as bars, with the first error's words."""
    most = max(result.outcomes.values(), default=1)
    rows = [_outcome_row(result, kind, count, most) for kind, count in result.outcomes.items()]
    head = ["outcome", "requests", "share", ""]
    if not any(result.errors.values()):
        return table(head, [row[:-1] for row in rows], words=(3,))
    return table([*head, "first error"], rows, words=(3, 4))


def parts(given: Sequence[Part], *, of_phases: bool) -> Markup:
    """Scenarios or phases, one a row."""
    first = ["phase", "from", "length"] if of_phases else ["scenario", "sent by"]
    head = [*first, "planned", "sent", "succeeded", "failed", "late", "dropped", "P50", "P99", "longest", "rate"]
    return table(head, [_part_row(part, of_phases) for part in given], words=() if of_phases else (1,))


def part_outcomes(given: Sequence[Part]) -> Markup | None:
    """How the requests of each part ended, where parts differ in more than success."""
    kinds = list(dict.fromkeys(kind for part in given for kind in part.outcomes))
    if not kinds or len(given) < 2:
        return None
    rows: list[list[Child]] = [[part.name, *(f"{part.outcomes.get(kind, 0):,}" for kind in kinds)] for part in given]
    return folded("outcomes", table(["", *kinds], rows))


def notes(result: LoadResult) -> Markup:
    """What was noted while the run went on, with the totals until then."""
    whole = _series.span(result)
    rows: list[list[Child]] = [
        [
            _format.moment(note.at, span=whole),
            note.kind,
            together(tag("b", note.name), f": {note.text}" if note.text else ""),
            *(f"{n:,}" for n in (note.sent, note.completed, note.succeeded)),
            _format.size(note.bytes),
        ]
        for note in sorted(result.notes, key=lambda note: note.at)
    ]
    return table(["at", "kind", "what", "sent by then", "ended", "succeeded", "received"], rows, words=(1, 2))


def ended_well(result: LoadResult, kind: str) -> bool:
    """Whether this kind of end is a success."""
    return result.succeeded == result.completed or kind in _WELL


def _level_name(percentile: float) -> str:
    return {0.0: "shortest", 100.0: "longest"}.get(percentile, _format.level(percentile))


def _percentile(times: Histogram, percentile: float) -> str:
    if not times.count:
        return _format.NOTHING
    exact = {0.0: times.min, 100.0: times.max}.get(percentile)
    return _format.seconds(times.percentile(percentile) if exact is None else exact)


def _slice_row(result: LoadResult, begin: int, end: int, columns: Sequence[tuple[str, Sequence[float]]]) -> list[Child]:
    series, whole = result.throughput, _series.span(result)
    sums = [_format.size(sum(c[begin:end])) if n == "bytes" else f"{sum(c[begin:end]):,.0f}" for n, c in columns]
    worst = max(series.slowest[begin:end], default=0.0)
    start = _format.moment(begin * series.interval, span=whole)
    return [start, *sums, _format.seconds(worst) if worst else _format.NOTHING]


def _kept(passed: bool) -> Markup:
    return tag("span", "kept", class_="good-word") if passed else tag("span", "FAILED", class_="bad-word")


def _outcome_row(result: LoadResult, kind: str, count: int, most: int) -> list[Child]:
    style = "good" if ended_well(result, kind) else "bad"
    bar = tag("span", tag("span", class_=f"bar {style}", style=f"width:{100 * count / most:.2f}%"), class_="barcell")
    words = result.errors.get(kind) or ""
    return [kind, f"{count:,}", _format.share(count / max(result.completed, 1)), bar, words]


def _part_row(part: Part, of_phases: bool) -> list[Child]:
    name = part.name if part.counted else f"{part.name} (in no total)"
    first = (
        [_format.moment(part.start), _format.seconds(part.duration)] if of_phases else [part.engine or _format.NOTHING]
    )
    failed = part.completed - part.succeeded
    counts = (part.planned, part.sent, part.succeeded, failed, part.late, part.dropped)
    return [
        name,
        *first,
        *(f"{n:,}" for n in counts),
        *(_percentile(part.response_time, p) for p in (50.0, 99.0, 100.0)),
        _format.rate(part.completed / part.duration) if part.duration > 0 else _format.NOTHING,
    ]
