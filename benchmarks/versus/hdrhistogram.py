"""hdrhistogram: whole nanoseconds, the same layout as ours."""

from __future__ import annotations

from hdrh.histogram import HdrHistogram

from benchmarks._case import Probe, is_true, near
from benchmarks.versus._kinds import P99, VALUES, Makers

WHOLE = [round(value * 1e9) for value in VALUES]


def _filled(values: list[int]) -> HdrHistogram:
    histogram = HdrHistogram(1_000, 3_600_000_000_000, 3)
    for value in values:
        histogram.record_value(value)
    return histogram


def _record() -> Probe:
    histogram = _filled([])
    return Probe(
        "histogram.record_value(x)",
        {"histogram": histogram},
        is_true,
        histogram.get_total_count,
        over=WHOLE[:4_096],
    )


def _record_many() -> Probe:
    histogram, values = _filled([]), WHOLE[:10_000]

    def record_all() -> None:
        for value in values:
            histogram.record_value(value)

    names = {"record_all": record_all}
    return Probe(
        "record_all()",
        names,
        lambda value: value is None,
        histogram.get_total_count,
        step=len(values),
        per=len(values),
    )


def _percentile() -> Probe:
    histogram = _filled(WHOLE)
    return Probe("histogram.get_value_at_percentile(99.0)", {"histogram": histogram}, near(P99 * 1e9, 2e-3))


def record() -> Makers:
    """Record one value."""
    return {"record_value": _record}


def record_many() -> Makers:
    """Record an array of values."""
    return {"record_value each": _record_many}


def percentile() -> Makers:
    """Ask for one percentile."""
    return {"get_value_at_percentile": _percentile}
