"""Sight: metrics, traces, logs, alerts, profiles and a dashboard of the running service."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.observe._distribution import Distribution
    from seawall.observe._matching import Matching
    from seawall.observe._recorder import Recorder
    from seawall.observe._recording import Recording, Window
    from seawall.observe._snapshot import Exemplar, Family, Sample, Selector, Snapshot
    from seawall.observe.alerts import Alerts
    from seawall.observe.dashboard import Dashboard
    from seawall.observe.metrics import Metrics
    from seawall.observe.profiler import Profiler
    from seawall.observe.tracing import Tracer

__all__ = [
    "Alerts",
    "Dashboard",
    "Distribution",
    "Exemplar",
    "Family",
    "Matching",
    "Metrics",
    "Profiler",
    "Recorder",
    "Recording",
    "Sample",
    "Selector",
    "Snapshot",
    "Tracer",
    "Window",
]

_HOME = {
    "Distribution": "_distribution", "Matching": "_matching", "Recorder": "_recorder", "Recording": "_recording",
    "Window": "_recording", "Exemplar": "_snapshot", "Family": "_snapshot", "Sample": "_snapshot",
    "Selector": "_snapshot", "Snapshot": "_snapshot",
    "Alerts": "alerts", "Dashboard": "dashboard", "Metrics": "metrics", "Profiler": "profiler", "Tracer": "tracing",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Loaded when first named: who only writes logs does not load what reads histograms.
    if name not in _HOME:
        raise AttributeError(f"module 'seawall.observe' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seawall.observe.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
