"""Logical clocks: what happened before what, on machines whose wall clocks differ."""

from seawall.distributed.clocks._hybrid import HybridClock, HybridStats
from seawall.distributed.clocks._ids import UniqueIds
from seawall.distributed.clocks._lamport import LamportClock, LamportStamp
from seawall.distributed.clocks._order import Order
from seawall.distributed.clocks._stamp import HybridStamp
from seawall.distributed.clocks._vector import VectorClock

__all__ = [
    "HybridClock",
    "HybridStamp",
    "HybridStats",
    "LamportClock",
    "LamportStamp",
    "Order",
    "UniqueIds",
    "VectorClock",
]
