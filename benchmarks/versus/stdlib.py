"""What the standard library offers: a count that cannot be read, and a number under a lock."""

from __future__ import annotations

import itertools
import threading

from benchmarks._case import Probe, is_none
from benchmarks.versus._kinds import Makers


class Locked:
    """The counter everybody writes first."""

    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def inc(self) -> None:
        """Add one."""
        with self._lock:
            self.value += 1


def _count() -> Probe:
    return Probe("next(numbers)", {"numbers": itertools.count()}, lambda value: isinstance(value, int))


def _locked() -> Probe:
    counter = Locked()
    return Probe("counter.inc()", {"counter": counter}, is_none, lambda: counter.value)


def inc() -> Makers:
    """Add one."""
    return {"next(count())": _count, "int under a Lock": _locked}
