"""Rate limits across machines: the five algorithms in the manner of local limits, with their state in an engine."""

from seawall.distributed.limits._algorithms import FixedWindow, LeakyBucket, SlidingLog, SlidingWindow, TokenBucket
from seawall.distributed.limits._all_of import AllOf, Hierarchy
from seawall.distributed.limits._distribute import distribute
from seawall.distributed.limits._events import AwayChanged, DistributedStats, LeasedStats
from seawall.distributed.limits._keyed import Keyed
from seawall.distributed.limits._leased import Leased
from seawall.distributed.limits._limit import Limit
from seawall.distributed.limits._options import DistributedOptions, LeaseOptions

__all__ = [
    "AllOf",
    "AwayChanged",
    "DistributedOptions",
    "DistributedStats",
    "FixedWindow",
    "Hierarchy",
    "Keyed",
    "LeakyBucket",
    "LeaseOptions",
    "Leased",
    "LeasedStats",
    "Limit",
    "SlidingLog",
    "SlidingWindow",
    "TokenBucket",
    "distribute",
]
