"""Adaptive limits: a bound on calls in flight that finds itself by what calls take."""

from seawall._core.adaptive import Permit
from seawall.guard.adaptive._adaptive import AdaptiveLimit
from seawall.guard.adaptive._events import AdaptiveStats, LimitChanged
from seawall.guard.adaptive._options import AIMD, AdaptiveOptions, Gradient, Vegas

__all__ = ["AIMD", "AdaptiveLimit", "AdaptiveOptions", "AdaptiveStats", "Gradient", "LimitChanged", "Permit", "Vegas"]
