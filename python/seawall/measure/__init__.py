"""Measurements that do not lie: counters and histograms that processes can share, meters, and load tests."""

import importlib
from typing import TYPE_CHECKING, Any

from seawall.measure._counter import Counter
from seawall.measure._gauge import Gauge
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, read_hlog, write_hlog
from seawall.measure._latency import LatencyAnalyzer
from seawall.measure._latency_report import LatencyReport
from seawall.measure._throughput import ThroughputMeter
from seawall.measure._throughput_report import Checkpoint, Rate, ThroughputReport, ThroughputWindow

if TYPE_CHECKING:
    from seawall.measure.load import (
        Answer,
        Baselines,
        Capacity,
        CapacityStep,
        Closed,
        Comparison,
        Constant,
        Feed,
        Generator,
        GrpcCall,
        Linear,
        LoadResult,
        LoadTest,
        Note,
        Part,
        Replay,
        Request,
        Scenario,
        Sine,
        Spike,
        Stages,
        Step,
        Threshold,
        compare,
        find_capacity,
        find_capacity_async,
    )

__all__ = [
    "Answer",
    "Baselines",
    "Capacity",
    "CapacityStep",
    "Checkpoint",
    "Closed",
    "Comparison",
    "Constant",
    "Counter",
    "Feed",
    "Gauge",
    "Generator",
    "GrpcCall",
    "Histogram",
    "HlogInterval",
    "LatencyAnalyzer",
    "LatencyReport",
    "Linear",
    "LoadResult",
    "LoadTest",
    "Note",
    "Part",
    "Rate",
    "Replay",
    "Request",
    "Scenario",
    "Sine",
    "Spike",
    "Stages",
    "Step",
    "Threshold",
    "ThroughputMeter",
    "ThroughputReport",
    "ThroughputWindow",
    "compare",
    "find_capacity",
    "find_capacity_async",
    "read_hlog",
    "write_hlog",
]


def __getattr__(name: str) -> Any:
    # Load tests need numpy and asyncio; who only counts should not wait for them.
    if name in __all__:
        return getattr(importlib.import_module("seawall.measure.load"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
