"""The branch barrier: of repeated, missing and late operations of a distributed transaction, none does harm."""

from seawall.distributed.transactions.barrier._barrier import Barrier
from seawall.distributed.transactions.barrier._machine import Passage, Verdict
from seawall.distributed.transactions.barrier._table import BarrierTable

__all__ = ["Barrier", "BarrierTable", "Passage", "Verdict"]
