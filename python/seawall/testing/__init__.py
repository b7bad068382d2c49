"""What you test your own guards with. For tests only: nothing else in seawall imports it.

Loaded when first used: pytest imports this package in every run, for its fixtures.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.clock import ManualClock
    from seawall.testing._chance import Seeded
    from seawall.testing._fault_proxy import FaultProxy
    from seawall.testing._fault_proxy_faults import (
        Bandwidth,
        BlackHole,
        Corrupt,
        Cut,
        Fault,
        HalfClose,
        Latency,
        Pause,
        Refuse,
        Reset,
        SlowClose,
        Stall,
        Truncate,
    )
    from seawall.testing._fault_proxy_plan import FaultPlan, FaultStep
    from seawall.testing._load import LoadTester
    from seawall.testing._loop import ManualEventLoop, run
    from seawall.testing._recorder import Record, Recorder
    from seawall.testing._recording import Recording
    from seawall.testing._replay import Replay, replay
    from seawall.testing._threads import run_threads

_HOME = {
    "Bandwidth": "seawall.testing._fault_proxy_faults",
    "BlackHole": "seawall.testing._fault_proxy_faults",
    "Corrupt": "seawall.testing._fault_proxy_faults",
    "Cut": "seawall.testing._fault_proxy_faults",
    "Fault": "seawall.testing._fault_proxy_faults",
    "FaultPlan": "seawall.testing._fault_proxy_plan",
    "FaultProxy": "seawall.testing._fault_proxy",
    "FaultStep": "seawall.testing._fault_proxy_plan",
    "HalfClose": "seawall.testing._fault_proxy_faults",
    "Latency": "seawall.testing._fault_proxy_faults",
    "LoadTester": "seawall.testing._load",
    "ManualClock": "seawall.clock",
    "ManualEventLoop": "seawall.testing._loop",
    "Pause": "seawall.testing._fault_proxy_faults",
    "Record": "seawall.testing._recorder",
    "Recorder": "seawall.testing._recorder",
    "Recording": "seawall.testing._recording",
    "Refuse": "seawall.testing._fault_proxy_faults",
    "Replay": "seawall.testing._replay",
    "Reset": "seawall.testing._fault_proxy_faults",
    "Seeded": "seawall.testing._chance",
    "SlowClose": "seawall.testing._fault_proxy_faults",
    "Stall": "seawall.testing._fault_proxy_faults",
    "Truncate": "seawall.testing._fault_proxy_faults",
    "replay": "seawall.testing._replay",
    "run": "seawall.testing._loop",
    "run_threads": "seawall.testing._threads",
}

__all__ = [
    "Bandwidth",
    "BlackHole",
    "Corrupt",
    "Cut",
    "Fault",
    "FaultPlan",
    "FaultProxy",
    "FaultStep",
    "HalfClose",
    "Latency",
    "LoadTester",
    "ManualClock",
    "ManualEventLoop",
    "Pause",
    "Record",
    "Recorder",
    "Recording",
    "Refuse",
    "Replay",
    "Reset",
    "Seeded",
    "SlowClose",
    "Stall",
    "Truncate",
    "replay",
    "run",
    "run_threads",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'seawall.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
