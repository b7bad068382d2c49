"""Three-phase commit, for study: it does not block when a coordinator dies, and breaks when a network is cut."""

from seawall.distributed.transactions.three_phase._network import Partition, Weather
from seawall.distributed.transactions.three_phase._study import SCENARIOS, Run, simulate, table

__all__ = ["SCENARIOS", "Partition", "Run", "Weather", "simulate", "table"]
