"""Where the time and the memory of the running process go, and what keeps its event loops from running."""

from seawall.observe.profiler._difference import Change, Difference
from seawall.observe.profiler._profile import Function, Profile, merge
from seawall.observe.profiler._profiler import Profiler
from seawall.observe.profiler._sampling import Sampling
from seawall.observe.profiler._stack import Frame, Kind, Stack

__all__ = ["Change", "Difference", "Frame", "Function", "Kind", "Profile", "Profiler", "Sampling", "Stack", "merge"]
