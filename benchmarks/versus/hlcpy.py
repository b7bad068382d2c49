"""hlcpy: a hybrid logical clock of milliseconds, under a lock."""

from __future__ import annotations

from hlcpy import HLC

from benchmarks._case import Probe, is_none
from benchmarks.versus._kinds import Makers


def _sync() -> Probe:
    clock = HLC.from_now()
    return Probe("stamps.sync()", {"stamps": clock}, is_none)


def _merge() -> Probe:
    clock = HLC.from_now()
    return Probe("stamps.merge(event)", {"stamps": clock, "event": HLC.from_now()}, is_none)


def hybrid_now() -> Makers:
    """Stamp an event."""
    return {"HLC.sync": _sync}


def hybrid_receive() -> Makers:
    """Take a message."""
    return {"HLC.merge": _merge}
