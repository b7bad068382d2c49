"""Is the service well, and what is done when it is not: health, resources, anomalies, recovery, shutdown."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.monitor.health import Health, health_rows
    from seawall.monitor.resources import ResourceMonitor, container_limits
    from seawall.monitor.shutdown import Shutdown

__all__ = ["Health", "ResourceMonitor", "Shutdown", "container_limits", "health_rows"]

_HOME = {
    "Health": "health", "health_rows": "health", "ResourceMonitor": "resources", "container_limits": "resources",
    "Shutdown": "shutdown",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Loaded when first named: who only shuts down does not load what measures.
    if name not in _HOME:
        raise AttributeError(f"module 'seawall.monitor' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seawall.monitor.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
