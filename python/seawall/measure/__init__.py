"""Counters, gauges and histograms that threads and processes can share."""

from seawall.measure._counter import Counter
from seawall.measure._gauge import Gauge
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, read_hlog, write_hlog

__all__ = ["Counter", "Gauge", "Histogram", "HlogInterval", "read_hlog", "write_hlog"]
