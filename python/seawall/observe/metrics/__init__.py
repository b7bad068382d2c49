"""Counters, gauges and histograms with labels, of one process or of all workers of a machine."""

from seawall.observe.metrics._metrics import Metrics
from seawall.observe.metrics._series import Counter, Gauge, Histogram, Labelled

__all__ = ["Counter", "Gauge", "Histogram", "Labelled", "Metrics"]
