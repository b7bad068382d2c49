"""prometheus-client: counters, a histogram of its default fifteen buckets, and its text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from benchmarks._case import Probe, is_none
from benchmarks.versus._kinds import CODES, SERIES, VALUES, Makers, has_series


def _sample(registry: CollectorRegistry, name: str) -> int:
    value = registry.get_sample_value(name)
    return 0 if value is None else int(value)


def _inc() -> Probe:
    registry = CollectorRegistry()
    counter = Counter("served", "Requests.", registry=registry)
    return Probe("counter.inc()", {"counter": counter}, is_none, lambda: _sample(registry, "served_total"))


def _observe() -> Probe:
    registry = CollectorRegistry()
    histogram = Histogram("latency", "Seconds.", registry=registry)
    return Probe(
        "histogram.observe(x)",
        {"histogram": histogram},
        is_none,
        lambda: _sample(registry, "latency_count"),
        over=VALUES[:4_096],
    )


def _inc_labelled() -> Probe:
    registry = CollectorRegistry()
    family = Counter("served", "Requests.", ("method", "code"), registry=registry)
    for code in CODES:
        family.labels("GET", code)

    def total() -> int:
        return sum(int(s.value) for m in registry.collect() for s in m.samples if s.name == "served_total")

    return Probe('family.labels("GET", x).inc()', {"family": family}, is_none, total, over=CODES)


def _expose() -> Probe:
    registry = CollectorRegistry()
    family = Counter("served", "Requests.", ("method", "code"), registry=registry)
    for number in range(SERIES):
        family.labels("GET", str(number)).inc(number)
    names = {"write": generate_latest, "registry": registry}
    return Probe("write(registry)", names, has_series)


def inc() -> Makers:
    """Add one."""
    return {"Counter.inc": _inc}


def record() -> Makers:
    """Record one value."""
    return {"Histogram.observe": _observe}


def inc_labelled() -> Makers:
    """Find a series by its labels and add one."""
    return {"Counter.labels.inc": _inc_labelled}


def observe() -> Makers:
    """Observe one value."""
    return {"Histogram.observe": _observe}


def expose() -> Makers:
    """Write 10,000 series."""
    return {"generate_latest": _expose}
