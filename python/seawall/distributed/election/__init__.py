"""Leaders: one of many leads, for a term that fences, and observers know who, or that they do not know."""

from seawall.distributed.election._election import LeaderElection, Leadership
from seawall.distributed.election._leaders import Leader, LeaderUnknown, NoLeader
from seawall.distributed.election._observer import LeaderWatch

__all__ = ["Leader", "LeaderElection", "LeaderUnknown", "LeaderWatch", "Leadership", "NoLeader"]
