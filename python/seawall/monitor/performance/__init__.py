"""Performance of operations: rates, errors and percentiles by interval, and events when one becomes worse."""

from seawall.monitor.performance._baseline import Baseline
from seawall.monitor.performance._interval import Interval
from seawall.monitor.performance._judge import Change
from seawall.monitor.performance._monitor import Degradation, PerformanceMonitor

__all__ = ["Baseline", "Change", "Degradation", "Interval", "PerformanceMonitor"]
