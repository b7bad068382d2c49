"""Metrics with labels: counting, observing, writing 10,000 series, and a guard that publishes itself."""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks._case import OURS, Case, Missing, Probe, Target, is_none
from benchmarks._scratch import scratch_segment
from benchmarks.areas import _policies as policies
from benchmarks.areas._policies import plain
from benchmarks.versus import rivals
from benchmarks.versus._kinds import CODES, SERIES, VALUES, has_series
from seawall.observe.metrics import Metrics

_turn = itertools.count()


def _shared() -> Metrics:
    return Metrics(scratch_segment(), name=f"metrics-{next(_turn)}", memory=1 << 20)


def _inc(metrics: Metrics) -> Probe:
    counter = metrics.counter("served")
    return Probe("counter.inc()", {"counter": counter}, is_none, lambda: int(counter.value))


def _inc_labelled(metrics: Metrics) -> Probe:
    family = metrics.counter("served", "", ("method", "code"))
    for code in CODES:  # in steady use, a series is there
        family.labels("GET", code)

    def total() -> int:
        found = metrics.snapshot().family("served")
        assert found is not None
        return sum(int(sample.value) for sample in found.samples)  # type: ignore[arg-type]  # of a counter

    return Probe('family.labels("GET", x).inc()', {"family": family}, is_none, total, over=CODES)


def _observe(metrics: Metrics) -> Probe:
    histogram = metrics.histogram("latency_seconds")

    def count() -> int:
        found: Any = metrics.snapshot().family("latency_seconds")
        return int(found.samples[0].value.count)

    return Probe("histogram.observe(x)", {"histogram": histogram}, is_none, count, over=VALUES[:4_096])


def _set(metrics: Metrics) -> Probe:
    gauge = metrics.gauge("level")
    return Probe("gauge.set(2.5)", {"gauge": gauge}, lambda value: value is None and gauge.value == 2.5)


def _expose() -> Probe:
    metrics = Metrics(max_series=SERIES)
    family = metrics.counter("served", "Requests.", ("method", "code"))
    for number in range(SERIES):
        family.labels("GET", number).inc(number)
    return Probe("metrics.to_prometheus()", {"metrics": metrics}, has_series)


def _published() -> Probe:
    probe = plain(policies.pipeline)()
    metrics = Metrics()
    metrics.instrument_all()
    metrics.flush()
    return Probe(probe.statement, {**probe.names, "_metrics": metrics}, probe.holds, probe.counted, probe.step)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    one, labelled, observe = "add one", "find a series by its labels, add one", "observe one value"
    level, text, guard = "set a gauge", "10,000 series as text", "a guard whose statistics are published"
    quiet = Case(guard, OURS, "Pipeline, nobody listens", plain(policies.pipeline))
    return [
        Case(one, OURS, "Counter.inc in a segment", lambda: _inc(_shared()), Target(0.5)),
        Case(one, OURS, "Counter.inc", lambda: _inc(Metrics())),
        Case(labelled, OURS, "labels.inc in a segment", lambda: _inc_labelled(_shared()), Target(3)),
        Case(observe, OURS, "Histogram.observe in a segment", lambda: _observe(_shared()), Target(0.9)),
        Case(level, OURS, "Gauge.set in a segment", lambda: _set(_shared())),
        Case(text, OURS, "to_prometheus", _expose, Target(10_000, "us")),
        quiet,
        Case(guard, OURS, "Pipeline, instrumented", _published, Target(1.3), of=quiet.name),
        *rivals({"inc": one, "inc_labelled": labelled, "observe": observe, "expose": text}),
    ]
