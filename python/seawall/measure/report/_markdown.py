"""A run in a few lines of GitHub's Markdown, for a pull request."""

from __future__ import annotations

from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format, _tables, _words

_MARKS = {"good": "✅", "warn": "⚠️", "bad": "❌"}
_LEVELS = (50.0, 90.0, 95.0, 99.0, 99.9)
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]#|~$@"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def markdown(result: LoadResult, *, title: str = "") -> str:
    """Verdict, thresholds, percentiles and outcomes.

    Guarantees: texts of a result cannot become markup, links or mentions.

    Args:
        result: Of the run.
        title: Its heading; the target by default.
    """
    title = title or (f"Load test of {result.target}" if result.target else "Load test")
    standing, colour = _words.standing(result)
    parts = [
        f"### {_safe(title)}",
        f"{_MARKS[colour]} **{_safe(standing)}**",
        "\n".join(f"- {_safe(doubt)}" for doubt in _words.doubts(result)),
        _line(result),
        _thresholds(result),
        _times(result),
        _outcomes(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(result: LoadResult) -> str:
    seconds = max(result.duration, 1e-9)
    told = [
        *([_safe(result.pattern)] if result.pattern else []),
        f"{result.sent:,} of {result.planned:,} planned requests sent in {_format.seconds(result.duration)}",
        f"{_format.rate(result.completed / seconds)}",
        f"{_share(result.succeeded, result)} succeeded",
        *([f"{result.late:,} late"] if result.late else []),
        *([f"{result.dropped:,} dropped"] if result.dropped else []),
        *(["closed model"] if result.model == "closed" else []),
    ]
    return " · ".join(told)


def _share(count: int, result: LoadResult) -> str:
    return _format.share(count / result.completed) if result.completed else "none"


def _thresholds(result: LoadResult) -> str:
    if not result.thresholds:
        return ""
    rows = [
        [_safe(one.text), _safe(_tables.measured(one)), "✅ kept" if one.passed else "❌ failed"]
        for one in result.thresholds
    ]
    return _table(["threshold", "measured", ""], rows)


def _times(result: LoadResult) -> str:
    both = (("response time", result.response_time), ("service time", result.service_time))
    rows = [
        [name, *(_format.seconds(value) for value in (*times.percentiles(list(_LEVELS)), times.max))]
        for name, times in both
        if times.count
    ]
    return _table(["", *(_format.level(p) for p in _LEVELS), "longest"], rows) if rows else ""


def _outcomes(result: LoadResult) -> str:
    if not result.outcomes:
        return ""
    rows = [
        [_safe(kind), f"{count:,}", _share(count, result), _safe(result.errors.get(kind, ""))]
        for kind, count in result.outcomes.items()
    ]
    return _table(["outcome", "requests", "share", "first error"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _safe(text: str) -> str:
    flat = " ".join(text.split())
    shown = flat if len(flat) <= 200 else flat[:199] + "…"
    # GitHub makes links of bare addresses.
    return shown.translate(_SPECIAL).replace("://", "\\://").replace("www.", "www\\.")
