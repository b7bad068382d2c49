"""Time as an argument: clocks, and the deadline a call carries."""

from seawall.clock._bells import AsyncBell, Bell
from seawall.clock._clocks import Clock, ManualClock, SystemClock
from seawall.clock._deadline import Deadline
from seawall.clock._durations import to_ns
from seawall.clock._wall import WallClock

__all__ = ["AsyncBell", "Bell", "Clock", "Deadline", "ManualClock", "SystemClock", "WallClock", "to_ns"]
