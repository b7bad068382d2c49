"""Timeouts: a bound on the time of each call."""

from seawall.guard.timeout._events import TimedOut, TimeoutStats
from seawall.guard.timeout._options import TimeoutOptions
from seawall.guard.timeout._timeout import Timeout

__all__ = ["TimedOut", "Timeout", "TimeoutOptions", "TimeoutStats"]
