"""Readings side by side, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seawall.errors import ConfigError
from seawall.observe.signals._readings import Golden, Red, Use

Reading = Red | Golden | Use

_RED = ("service", "rate", "errors", "error ratio", "mean", "p50", "p95", "p99")
_GOLDEN = ("service", "traffic", "errors", "p50", "p99", "failed p99", "saturation", "at its peak")
_USE = ("resource", "utilisation", "at its peak", "saturation", "at its peak", "errors")


def table(readings: Iterable[Reading]) -> str:
    """Readings of one kind as a table of text, a line each; "-" is what nothing is known of.

    Raises:
        ConfigError: there are readings of several kinds.
    """
    rows = list(readings)
    kinds = {type(row) for row in rows}
    if len(kinds) > 1:
        raise ConfigError(f"readings must be of one kind, got {', '.join(sorted(kind.__name__ for kind in kinds))}")
    if not rows:
        return ""
    head = {Red: _RED, Golden: _GOLDEN, Use: _USE}[kinds.pop()]
    return _aligned([head, *(_cells(row) for row in rows)])


def _cells(row: Reading) -> Sequence[str]:
    if isinstance(row, Red):
        took = row.duration
        times = (_time(took.mean), _time(took.p50), _time(took.p95), _time(took.p99))
        return (row.name, _rate(row.rate), _rate(row.errors), _share(row.error_ratio), *times)
    if isinstance(row, Golden):
        failed = None if row.failed_latency is None else row.failed_latency.p99
        latencies = (_time(row.latency.p50), _time(row.latency.p99), _time(failed))
        full = (_share(row.saturation), _share(row.peak_saturation))
        return (row.name, _rate(row.traffic), _share(row.errors), *latencies, *full)
    shares = (_share(row.utilisation), _share(row.peak_utilisation))
    return (row.name, *shares, _plain(row.saturation), _plain(row.peak_saturation), _plain(row.errors))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{_plain(value)}/s"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.2f} %"


def _time(value: float | None) -> str:
    if value is None:
        return "-"
    scale, unit = (1e6, "us") if value < 1e-3 else (1e3, "ms") if value < 1 else (1.0, "s")
    return f"{value * scale:.3g} {unit}" if value * scale < 100 else f"{value * scale:.0f} {unit}"
