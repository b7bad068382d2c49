"""Recording one value, recording an array, asking for a percentile."""

from __future__ import annotations

import numpy

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target, is_none, near
from benchmarks._scratch import scratch_segment
from benchmarks.versus import rivals
from benchmarks.versus._kinds import P99, VALUES

MANY = 10_000_000


def record_one(histogram: sw.Histogram) -> Probe:
    """A histogram that knows afterwards how many values it was given."""
    return Probe("histogram.record(x)", {"histogram": histogram}, is_none, lambda: histogram.count, over=VALUES[:4_096])


def record_array() -> Probe:
    """Ten million values at once; three digits are right to a thousandth."""
    values = numpy.random.default_rng(1).lognormal(-3.0, 1.0, MANY)
    histogram = sw.Histogram()
    histogram.record_many(values)
    expected = float(numpy.partition(values, MANY * 99 // 100 - 1)[MANY * 99 // 100 - 1])
    right = near(expected, 1e-3)
    return Probe(
        "histogram.record_many(values)",
        {"histogram": histogram, "values": values},
        lambda value: value is None and right(histogram.percentile(99.0)),
        lambda: histogram.count,
        step=MANY,
        per=MANY,
    )


def ask_percentile() -> Probe:
    """The 99th percentile of a hundred thousand latencies."""
    histogram = sw.Histogram()
    histogram.record_many(VALUES)
    return Probe("histogram.percentile(99.0)", {"histogram": histogram}, near(P99, 1e-3))


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    one, many, ask = "record one value", "record an array, each value", "one percentile"
    return [
        Case(one, OURS, "Histogram.record", lambda: record_one(sw.Histogram()), Target(0.65)),
        Case(
            one,
            OURS,
            "Histogram.record in a shared segment",
            lambda: record_one(sw.Histogram(shared=scratch_segment())),
            Target(0.65),
        ),
        Case(many, OURS, "Histogram.record_many of 1e7 float64", record_array, Target(450, "M/s")),
        Case(ask, OURS, "Histogram.percentile", ask_percentile, Target(3, "us")),
        *rivals({"record": one, "record_many": many, "percentile": ask}),
    ]
