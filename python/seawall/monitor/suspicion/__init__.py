"""Suspicion with the evidence: threads that are stuck, tasks that pend for ever, things that grow without an end."""

from seawall.monitor.suspicion._growth import GrowthOptions, GrowthWatch, Leak, leaks
from seawall.monitor.suspicion._process import process_readings
from seawall.monitor.suspicion._stacks import stacks_text
from seawall.monitor.suspicion._tasks import PendingTask, PendingTasks
from seawall.monitor.suspicion._threads import Deadlock, StuckThread, StuckThreads, deadlocks
from seawall.monitor.suspicion._trend import Trend, trend

__all__ = [
    "Deadlock",
    "GrowthOptions",
    "GrowthWatch",
    "Leak",
    "PendingTask",
    "PendingTasks",
    "StuckThread",
    "StuckThreads",
    "Trend",
    "deadlocks",
    "leaks",
    "process_readings",
    "stacks_text",
    "trend",
]
