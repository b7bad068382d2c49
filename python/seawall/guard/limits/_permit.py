"""A reserved place in a limit."""

from seawall._core.limits import Permit

__all__ = ["Permit"]
