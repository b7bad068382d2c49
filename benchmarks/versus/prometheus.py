"""prometheus-client: a counter, and a histogram of its default fifteen buckets."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from benchmarks._case import Probe, is_none
from benchmarks.versus._kinds import VALUES, Makers


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


def inc() -> Makers:
    """Add one."""
    return {"Counter.inc": _inc}


def record() -> Makers:
    """Record one value."""
    return {"Histogram.observe": _observe}
