"""Hedging: a second copy of a call that takes long, and whichever answers first is the answer."""

from seawall.guard.hedge._events import Hedged, HedgeStats, WonByCopy
from seawall.guard.hedge._hedge import Hedge
from seawall.guard.hedge._options import HedgeOptions
from seawall.guard.hedge._quantile import Quantile

__all__ = ["Hedge", "HedgeOptions", "HedgeStats", "Hedged", "Quantile", "WonByCopy"]
