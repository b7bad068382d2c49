"""The client's own throttle: ask a service less while it refuses much."""

from seawall.guard.throttle._criticality import Criticality
from seawall.guard.throttle._events import ClassStats, Held, ThrottleStats
from seawall.guard.throttle._options import ThrottleOptions
from seawall.guard.throttle._throttle import Throttle

__all__ = ["ClassStats", "Criticality", "Held", "Throttle", "ThrottleOptions", "ThrottleStats"]
