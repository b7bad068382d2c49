"""What counters, gauges and histograms of seawall.measure become."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seawall.errors import ConfigError
from seawall.measure import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from seawall.observe.metrics._metrics import Metrics


def copier_of(metrics: Metrics, name: str, one: Any, *, from_now: bool = False) -> Callable[[], None]:
    """A function that brings what `one` has counted since it was last called into a metric of this name."""
    if isinstance(one, Counter):
        return _counter(metrics, name, one, from_now)
    if isinstance(one, Gauge):
        gauge = metrics.gauge(name)
        return lambda: gauge.set(one.value)
    if isinstance(one, Histogram):
        return _histogram(metrics, name, one, from_now)
    raise ConfigError(f"{name} must be a Counter, Gauge or Histogram of seawall.measure, got {one!r}")


def _counter(metrics: Metrics, name: str, one: Counter, from_now: bool) -> Callable[[], None]:
    series = metrics.counter(name)
    seen = one.value if from_now else 0

    def copy() -> None:
        nonlocal seen
        now = one.value
        if one.segment is not None:
            series._raise_to(now)
        else:
            series.inc(max(0, now - seen))
        seen = now

    return copy


def _histogram(metrics: Metrics, name: str, one: Histogram, from_now: bool) -> Callable[[], None]:
    if one.segment is not None:
        raise ConfigError(f"{name} lies in a segment, where all its users count: read it there")
    series = metrics.histogram(name, lowest=one.lowest, highest=one.highest, digits=one.digits)
    taken = one._of_layout(one._layout()[:3])
    if from_now:
        taken._merge(one)

    def copy() -> None:
        series._follow(one, taken)

    return copy
