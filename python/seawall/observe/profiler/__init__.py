"""Where the time and the memory of the running process go, and what keeps its event loops from running."""

from seawall.observe.profiler._allocations import Allocations, Held, Memory, growth
from seawall.observe.profiler._difference import Change, Difference
from seawall.observe.profiler._events import Slowed, Stall
from seawall.observe.profiler._on_signal import ProfileOnSignal
from seawall.observe.profiler._options import AllocationOptions, ProfilerOptions, StallOptions
from seawall.observe.profiler._profile import Function, Profile, merge
from seawall.observe.profiler._profiler import Profiler
from seawall.observe.profiler._sampling import Sampling
from seawall.observe.profiler._stack import Frame, Kind, Stack
from seawall.observe.profiler._stalls import StallDetector, StallStats

__all__ = [
    "AllocationOptions",
    "Allocations",
    "Change",
    "Difference",
    "Frame",
    "Function",
    "Held",
    "Kind",
    "Memory",
    "Profile",
    "ProfileOnSignal",
    "Profiler",
    "ProfilerOptions",
    "Sampling",
    "Slowed",
    "Stack",
    "Stall",
    "StallDetector",
    "StallOptions",
    "StallStats",
    "growth",
    "merge",
]
