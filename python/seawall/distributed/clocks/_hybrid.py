"""Wall time that respects cause and effect."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from seawall._core import logical as _kernel
from seawall._core.descriptors import own_methods
from seawall.clock import ManualClock, WallClock, to_ns
from seawall.distributed.clocks._checks import checked_name, checked_wall
from seawall.distributed.clocks._stamp import UNITS, HybridStamp
from seawall.distributed.clocks._store import StampFile
from seawall.errors import ConfigError
from seawall.memory import Segment

_DAY_NS = 86_400 * 1_000_000_000
_LEAST_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class HybridStats:
    """Where a hybrid clock stands.

    Args:
        name: The clock.
        last: The last stamp that was given.
        drift: How far that is ahead of the wall clock now, in seconds; 0 when it is not.
        most_drift: The furthest that any stamp was ahead when it was given, in seconds.
        refused: Stamps of other machines that were too far ahead.
        carried: How often more than 65,536 stamps fell into one unit, and the time moved on by itself.
        covered: The store allows stamps up to this one; None without a store.
        segment: Path of the segment the clock lies in; None for a private one.
    """

    name: str
    last: HybridStamp
    drift: float
    most_drift: float
    refused: int
    carried: int
    covered: HybridStamp | None
    segment: str | None


@own_methods
class HybridClock(_kernel.Hybrid):
    """Stamps that are near wall time and never contradict what caused what.

    `now()` gives the stamp of a local event or of a message, `receive(stamp)` that of taking a message. Both are ints
    of 64 bits that sort by time; `HybridStamp` shows them to people.

    Guarantees: every stamp is given once and is greater than all the clock gave or took before, whatever the wall clock
    does, from any number of threads and (shared) processes. With a `store`, also greater than all before a restart, a
    crash or a loss of power. A stamp is never behind the wall clock, and ahead of it only as far as other machines
    (`max_drift`), a step back of the wall clock, or a restart (`store_ahead`) have put it.
    Units: see `HybridStamp`. Thread safety: yes, lock-free. Cost: no more than `time.monotonic()`; with a store, one
    synced write for each `store_ahead` of time in use.

    Args:
        max_drift: A stamp further ahead of this machine's wall clock is refused; 1 ms to a day.
        store: Path of a file, on a disk that outlives what must be outlived. One file belongs to one clock.
        store_ahead: How far ahead the file is written; 1 ms to half of `max_drift`, so that stamps after a restart,
            which begin there, are still taken elsewhere. By default the half.
        name: For messages and statistics, and the slot in a shared segment.
        clock: Wall time: the machine's, or a ManualClock counted from 1970.
        shared: A segment, or its name: every process that names it gives stamps of one clock.

    Raises:
        ConfigError: An option that can never work; or the clock in the segment has a store and this one none, or the
            reverse.
        EngineError: The store cannot be read or written; no stamp was given.
        ClockDrift: `receive` was given a stamp too far ahead; the clock stays as it was.
        OverflowError: The range is used up, in February 2106.

    Source: Kulkarni, Demirbas, Madappa, Avva, Leone 2014, "Logical Physical Clocks and Consistent Snapshots".

    Example:
        >>> from seawall.clock import ManualClock
        >>> here, there = HybridClock(clock=ManualClock(100.0)), HybridClock(clock=ManualClock(99.9))
        >>> sent = here.now()
        >>> taken = there.receive(sent)
        >>> sent < taken < here.receive(taken)
        True
        >>> print(HybridStamp(taken))
        1970-01-01T00:01:40.000000Z#0001
    """

    __slots__ = ("__weakref__", "_max_drift", "_store", "_store_ahead")

    def __init__(
        self,
        *,
        max_drift: float | timedelta = 0.5,
        store: str | os.PathLike[str] | None = None,
        store_ahead: float | timedelta | None = None,
        name: str = "hybrid_clock",
        clock: WallClock | ManualClock | None = None,
        shared: Segment | str | None = None,
    ) -> None:
        drift_ns = to_ns(max_drift, "max_drift", least_ns=_LEAST_NS, most_ns=_DAY_NS)
        self._max_drift, self._store, self._store_ahead = max_drift, store, store_ahead
        file = _file_of(store, store_ahead, drift_ns)
        last, cover = (0, None) if file is None else (file.read(), file.cover)
        self._open(checked_name(name), checked_wall(clock), _units(drift_ns), last, cover, Segment.of(shared))

    def stats(self) -> HybridStats:
        """Where it stands, and what it has met."""
        last, limit, refused, carried, farthest = self._figures()
        wall = _units(max(self.clock.now_ns(), 0))
        return HybridStats(
            name=self.name,
            last=HybridStamp(last),
            drift=max((last >> 16) - wall, 0) / UNITS,
            most_drift=farthest / UNITS,
            refused=refused,
            carried=carried,
            covered=None if self._store is None else HybridStamp(limit),
            segment=self.segment.path if self.segment else None,
        )

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        kept = "" if self._store is None else f" stored in {os.fspath(self._store)}"
        return f"<HybridClock {self.name!r} at {HybridStamp(self.last)}{kept}{where}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.segment is None:
            raise TypeError(
                f"HybridClock {self.name!r} cannot be pickled: a copy would give the same stamps again; "
                "give it shared='...' so that both use one"
            )
        options = {
            "max_drift": self._max_drift,
            "store": self._store,
            "store_ahead": self._store_ahead,
            "name": self.name,
            "clock": self.clock,
            "shared": self.segment,
        }
        return _attach, (options,)


def _attach(options: dict[str, Any]) -> HybridClock:
    return HybridClock(**options)


def _units(ns: int) -> int:
    return ns * UNITS // 1_000_000_000


def _file_of(store: str | os.PathLike[str] | None, ahead: float | timedelta | None, drift_ns: int) -> StampFile | None:
    if store is None:
        if ahead is not None:
            raise ConfigError(
                f"store_ahead is of use only with a store, got {ahead!r} without; give store='/path', too"
            )
        return None
    path = os.fspath(store)
    if not isinstance(path, str) or not path or "\0" in path:
        raise ConfigError(f"store must be the path of a file, got {store!r}")
    half = max(drift_ns // 2, _LEAST_NS)
    ahead_ns = half if ahead is None else to_ns(ahead, "store_ahead", least_ns=_LEAST_NS, most_ns=half)
    return StampFile(path, _units(ahead_ns))
