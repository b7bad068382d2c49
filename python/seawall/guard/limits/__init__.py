"""Rate limits: five algorithms in one manner, alone, by key, all together, alone or shared by all workers."""

from seawall.guard.limits._algorithms import FixedWindow, LeakyBucket, SlidingLog, SlidingWindow, TokenBucket
from seawall.guard.limits._all_of import AllOf
from seawall.guard.limits._decision import Decision, KeyedStats, LimitStats
from seawall.guard.limits._keyed import Keyed
from seawall.guard.limits._limit import Limit
from seawall.guard.limits._permit import Permit
from seawall.guard.limits._quota import Quota, Rate

__all__ = [
    "AllOf",
    "Decision",
    "FixedWindow",
    "Keyed",
    "KeyedStats",
    "LeakyBucket",
    "Limit",
    "LimitStats",
    "Permit",
    "Quota",
    "Rate",
    "SlidingLog",
    "SlidingWindow",
    "TokenBucket",
]
