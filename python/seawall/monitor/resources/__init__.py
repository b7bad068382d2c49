"""Resources: what this process, its container and its machine use, and may use."""

from seawall.monitor.resources._cgroup._container import Container
from seawall.monitor.resources._cgroup._text import Pressure, Stalled
from seawall.monitor.resources._monitor import ResourceMonitor, container_limits
from seawall.monitor.resources._reading import DiskUse, GcUse, LoopUse, MachineUse, ProcessUse, Resources

__all__ = [
    "Container",
    "DiskUse",
    "GcUse",
    "LoopUse",
    "MachineUse",
    "Pressure",
    "ProcessUse",
    "ResourceMonitor",
    "Resources",
    "Stalled",
    "container_limits",
]
