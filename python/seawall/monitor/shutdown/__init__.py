"""Shutdown: drain, stop, wait, close, each in its own time, and tell what was cut off."""

from seawall.monitor.shutdown._options import ShutdownOptions
from seawall.monitor.shutdown._shutdown import Shutdown
from seawall.monitor.shutdown._words import Closed, CutOff, Phase, PhaseChanged, ShutdownReport
from seawall.monitor.shutdown._work import Work

__all__ = ["Closed", "CutOff", "Phase", "PhaseChanged", "Shutdown", "ShutdownOptions", "ShutdownReport", "Work"]
