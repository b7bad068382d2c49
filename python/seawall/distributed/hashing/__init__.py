"""Consistent hashing: which node has a key, the same answer in every process, and few moves when nodes change."""

from seawall._core.hashing import Held
from seawall.distributed.hashing._bounded import BoundedRing
from seawall.distributed.hashing._diff import Diff, MovedRange, diff
from seawall.distributed.hashing._keys import jump, jump_many, stable_hash, stable_hash_many
from seawall.distributed.hashing._maglev import Maglev
from seawall.distributed.hashing._nodes import Node
from seawall.distributed.hashing._rendezvous import Rendezvous
from seawall.distributed.hashing._ring import Ring

__all__ = [
    "BoundedRing",
    "Diff",
    "Held",
    "Maglev",
    "MovedRange",
    "Node",
    "Rendezvous",
    "Ring",
    "diff",
    "jump",
    "jump_many",
    "stable_hash",
    "stable_hash_many",
]
