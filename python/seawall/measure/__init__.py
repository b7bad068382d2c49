"""Measurements that do not lie: counters, gauges and histograms that processes can share, and load tests."""

import importlib
from typing import TYPE_CHECKING, Any

from seawall.measure._counter import Counter
from seawall.measure._gauge import Gauge
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, read_hlog, write_hlog

if TYPE_CHECKING:
    from seawall.measure.load import Constant, Linear, LoadResult, LoadTest, Replay, Sine, Spike, Stages, Step

__all__ = [
    "Constant",
    "Counter",
    "Gauge",
    "Histogram",
    "HlogInterval",
    "Linear",
    "LoadResult",
    "LoadTest",
    "Replay",
    "Sine",
    "Spike",
    "Stages",
    "Step",
    "read_hlog",
    "write_hlog",
]


def __getattr__(name: str) -> Any:
    # Load tests need numpy and asyncio; who only counts should not wait for them.
    if name in __all__:
        return getattr(importlib.import_module("seawall.measure.load"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
