"""The engine in this process: exact, driven by any Clock, gone with the process."""

from seawall.engines.memory._engine import MemoryEngine, MemoryOptions

__all__ = ["MemoryEngine", "MemoryOptions"]
