"""cereggii: an atomic integer."""

from __future__ import annotations

from cereggii import AtomicInt64

from benchmarks._case import Probe
from benchmarks.versus._kinds import Makers


def _inc() -> Probe:
    number = AtomicInt64(0)
    return Probe("number.increment_and_get()", {"number": number}, lambda value: value == number.get(), number.get)


def inc() -> Makers:
    """Add one."""
    return {"AtomicInt64.increment_and_get": _inc}
