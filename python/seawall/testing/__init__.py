"""What you test your own guards with. For tests only: nothing else in seawall imports it.

Loaded when first used: pytest imports this package in every run, for its fixtures.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.clock import ManualClock
    from seawall.testing._chance import Seeded
    from seawall.testing._load import LoadTester
    from seawall.testing._loop import ManualEventLoop, run
    from seawall.testing._recorder import Record, Recorder
    from seawall.testing._recording import Recording
    from seawall.testing._replay import Replay, replay
    from seawall.testing._threads import run_threads

_HOME = {
    "LoadTester": "seawall.testing._load",
    "ManualClock": "seawall.clock",
    "ManualEventLoop": "seawall.testing._loop",
    "Record": "seawall.testing._recorder",
    "Recorder": "seawall.testing._recorder",
    "Recording": "seawall.testing._recording",
    "Replay": "seawall.testing._replay",
    "Seeded": "seawall.testing._chance",
    "replay": "seawall.testing._replay",
    "run": "seawall.testing._loop",
    "run_threads": "seawall.testing._threads",
}

__all__ = [
    "LoadTester",
    "ManualClock",
    "ManualEventLoop",
    "Record",
    "Recorder",
    "Recording",
    "Replay",
    "Seeded",
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
