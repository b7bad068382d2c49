"""Ports to what keeps state for several processes or machines, and the engines behind them."""

from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._following import Following
from seawall.engines._guarantees import Consistency, Durability, Guarantees, Require, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._ports import (
    ABSENT,
    Claim,
    Claimed,
    Deleted,
    Enlisted,
    Entry,
    Journal,
    KeyValue,
    Lease,
    Listing,
    Meter,
    Put,
    Reading,
    Record,
    Resync,
    Rule,
    Swap,
    Taken,
)
from seawall.engines._registry import engines, open_engine
from seawall.engines._watch import Watch

__all__ = [
    "ABSENT",
    "Claim",
    "Claimed",
    "Consistency",
    "Deleted",
    "Durability",
    "Engine",
    "EngineOptions",
    "Enlisted",
    "Entry",
    "Finding",
    "Following",
    "Guarantees",
    "Journal",
    "KeyValue",
    "Lease",
    "Listing",
    "Meter",
    "Put",
    "Reading",
    "Record",
    "Require",
    "Resync",
    "Rule",
    "Swap",
    "Taken",
    "TimeSource",
    "Watch",
    "WatchResume",
    "engines",
    "open_engine",
]
