"""Fallbacks: something else in place of a failure."""

from seawall.guard.fallback._events import FallbackStats, FellBack
from seawall.guard.fallback._fallback import Fallback, fallback_used
from seawall.guard.fallback._options import FallbackOptions, StaleOptions

__all__ = ["Fallback", "FallbackOptions", "FallbackStats", "FellBack", "StaleOptions", "fallback_used"]
