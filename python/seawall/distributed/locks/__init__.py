"""Locks that several processes and machines share: fenced by tokens, fair, and honest about what was lost."""

from seawall.distributed.locks._held import FencedHeld, Held
from seawall.distributed.locks._lock import EfficiencyLock, FencedLock

__all__ = [
    "EfficiencyLock",
    "FencedHeld",
    "FencedLock",
    "Held",
]
