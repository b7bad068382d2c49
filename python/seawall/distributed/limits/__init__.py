"""Limits across machines, in the manner of local ones, with their state in an engine; breakers and budgets, too."""

from seawall.distributed.limits._algorithms import FixedWindow, LeakyBucket, SlidingLog, SlidingWindow, TokenBucket
from seawall.distributed.limits._all_of import AllOf, Hierarchy
from seawall.distributed.limits._distribute import distribute
from seawall.distributed.limits._events import AwayChanged, DistributedStats, LeasedStats
from seawall.distributed.limits._keyed import Keyed
from seawall.distributed.limits._leased import Leased
from seawall.distributed.limits._limit import Limit
from seawall.distributed.limits._options import DistributedOptions, LeaseOptions
from seawall.distributed.limits._retry_budget import DistributedBudgetStats, DistributedRetryBudget
from seawall.distributed.limits._shared_breaker import SharedBreaker, SharedBreakerStats

__all__ = [
    "AllOf",
    "AwayChanged",
    "DistributedBudgetStats",
    "DistributedOptions",
    "DistributedRetryBudget",
    "DistributedStats",
    "FixedWindow",
    "Hierarchy",
    "Keyed",
    "LeakyBucket",
    "LeaseOptions",
    "Leased",
    "LeasedStats",
    "Limit",
    "SharedBreaker",
    "SharedBreakerStats",
    "SlidingLog",
    "SlidingWindow",
    "TokenBucket",
    "distribute",
]
