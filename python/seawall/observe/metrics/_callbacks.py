"""Gauges that somebody is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from seawall.observe.metrics._series import Gauge, Labelled

if TYPE_CHECKING:
    from seawall.observe.metrics._metrics import Metrics

Values = str | tuple[str, ...]
Observed = Callable[[], "float | Mapping[Values, float] | None"]


class Callbacks:
    """Functions that are asked for numbers, each with its gauge.

    Guarantees: one that raises, or answers what is no number, harms no other; it is counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._asked: dict[str, tuple[Observed, Gauge | Labelled[Gauge]]] = {}
        self._known: dict[str, set[Gauge]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, fn: Observed, gauge: Gauge | Labelled[Gauge]) -> None:
        """Ask `fn` from now on, instead of whoever was asked before."""
        with self._lock:
            self._asked[name] = (fn, gauge)

    def forked(self) -> None:
        """In a child: the lock may have been held by a thread that is not here."""
        self._lock = threading.Lock()

    def run(self) -> None:
        """Ask everybody."""
        with self._lock:
            asked = list(self._asked.items())
        for name, (fn, gauge) in asked:
            try:
                said = _series_of(gauge, fn())
                for series, value in said.items():
                    series.set(value)
            except Exception:  # noqa: BLE001 - a metric must not take the others down with it
                said = {}
                self._metrics.counter("seawall_metrics_failed", _FAILED, ("metric",)).labels(name).inc()
            for gone in self._known.get(name, set()) - said.keys():
                gone._unset()
            self._known[name] = set(said)


_FAILED = "How often a function that is asked for a metric raised."


def _series_of(gauge: Gauge | Labelled[Gauge], said: float | Mapping[Values, float] | None) -> dict[Gauge, float]:
    if said is None:
        return {}
    if isinstance(gauge, Gauge):
        if isinstance(said, Mapping):
            raise TypeError(f"a gauge without labels is one number, got {said!r}")
        return {gauge: said}
    if not isinstance(said, Mapping):
        raise TypeError(f"a gauge with labels is a mapping from label values to numbers, got {said!r}")
    return {gauge.labels(*((key,) if isinstance(key, str) else key)): value for key, value in said.items()}
