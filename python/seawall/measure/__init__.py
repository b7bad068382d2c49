"""Measurements that do not lie: counters, gauges and histograms that processes can share, and load tests."""

from seawall.measure._counter import Counter
from seawall.measure._gauge import Gauge
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, read_hlog, write_hlog
from seawall.measure.load import Constant, Linear, LoadResult, LoadTest, Sine, Spike, Step

__all__ = [
    "Constant",
    "Counter",
    "Gauge",
    "Histogram",
    "HlogInterval",
    "Linear",
    "LoadResult",
    "LoadTest",
    "Sine",
    "Spike",
    "Step",
    "read_hlog",
    "write_hlog",
]
