"""Locks that several processes and machines share: fenced by tokens, fair, and honest about what was lost."""

from seawall.distributed._holding import FencedHeld, Held
from seawall.distributed.locks._key_value_fence import FencedKeyValue
from seawall.distributed.locks._lock import EfficiencyLock, FencedLock
from seawall.distributed.locks._multi import HeldTogether, MultiLock
from seawall.distributed.locks._read_write import ReadWriteLock
from seawall.distributed.locks._redis_fence import RedisFence
from seawall.distributed.locks._semaphore import Semaphore, SemaphorePermit
from seawall.distributed.locks._sql_fence import RowFence, SqlFence

__all__ = [
    "EfficiencyLock",
    "FencedHeld",
    "FencedKeyValue",
    "FencedLock",
    "Held",
    "HeldTogether",
    "MultiLock",
    "ReadWriteLock",
    "RedisFence",
    "RowFence",
    "Semaphore",
    "SemaphorePermit",
    "SqlFence",
]
