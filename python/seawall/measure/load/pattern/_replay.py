"""A pattern that was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._plans import Floats, Piece, Pieces, Plan
from seawall.measure.load.pattern._timestamps import from_file, gather
from seawall.measure.load.pattern._track import Track

if TYPE_CHECKING:
    from seawall.measure.load.result._result import LoadResult


@dataclass(frozen=True, init=False, eq=False, slots=True)
class Replay(Pattern):
    """Requests at the times at which they once came.

    Guarantees: uniform arrivals are the recorded times, to a nanosecond; poisson arrivals follow their rate.
    A run that is shorter cuts them, one that is longer ends in silence.

    Units: timestamps in seconds, from any zero; in a file also ISO 8601, which is UTC unless it says otherwise.

    Cost: 8 bytes a timestamp, at most 10,000,000.

    Args:
        source: A file with one timestamp a line (empty lines and those with a # are skipped), a JSON file with a list
            of them, alone or as `arrivals` in an object; or the timestamps themselves. In any order. Or the result of a
            load test, as a LoadResult or its JSON file: then the times at which its requests were due.
        begin: The timestamp at which the run starts; by default the first one.

    Raises:
        ConfigError: The source cannot be read, holds no or too many timestamps, or they span more than a week.

    Example:
        >>> from seawall.measure import Replay
        >>> replay = Replay([1700000000.0, 1700000000.25, 1700000002.0])
        >>> replay.length, replay.over(3).arrivals
        (2.0, 3)
    """

    source: str
    _times: Floats = field(repr=False)

    def __init__(self, source: str | Path | Iterable[float] | LoadResult, begin: float | None = None) -> None:
        times, origin = _timestamps(source)
        zero = float(times[0])
        if begin is not None:
            zero = _checks.number("begin", begin, low=-1e15, high=1e15, unit="seconds", way_out="leave it out")
        if times[0] < zero:
            raise ConfigError(
                f"begin must not be after the first timestamp, {times[0]:.10g}, got {zero:.10g}; leave it out"
            )
        # Gaps below a nanosecond are dust of the arithmetic, and one over them is no rate.
        times = np.round(times - zero, 9)
        if times[-1] > _checks.MAX_DURATION:
            raise ConfigError(
                f"timestamps must span at most {_checks.MAX_DURATION:,.10g} seconds, got {times[-1]:,.10g} "
                f"in {origin}; replay a part of them, or divide by 1,000 if they are in milliseconds"
            )
        times.setflags(write=False)
        object.__setattr__(self, "source", origin)
        object.__setattr__(self, "_times", times)

    def __eq__(self, other: object) -> bool:
        return np.array_equal(self._times, other._times) if isinstance(other, Replay) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._times.tobytes())

    @property
    def times(self) -> Floats:
        """The arrivals in seconds from the start of the run, read-only: (n,) float64."""
        return self._times

    @property
    def length(self) -> float:
        """Seconds from the start of the run to the last arrival."""
        return float(self._times[-1])

    def describe(self) -> str:
        """The pattern in a few words."""
        many = "1 arrival" if len(self._times) == 1 else f"{len(self._times):,} arrivals"
        return f"replay of {many} in {self.length:,.10g} s"

    def _over(self, duration: float) -> Plan:
        # A recording that ends with the run is whole, whatever the last bit of its duration.
        times = self._times[: int(np.searchsorted(self._times, duration + 1e-9, side="right"))]
        if not times.size:
            return Pieces([Piece(duration, 0.0, 0.0)])
        return Track(duration, np.minimum(times, duration) if times[-1] > duration else times)


def _timestamps(source: str | Path | Iterable[float] | LoadResult) -> tuple[Floats, str]:
    if isinstance(getattr(source, "plan", None), Mapping):
        from seawall.measure.load.pattern._recipe import arrivals_of

        return gather(arrivals_of(source.plan), "the result"), "the result"  # type: ignore[union-attr,arg-type]
    if isinstance(source, (str, Path)):
        return from_file(Path(source)), str(source)
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise ConfigError(f"replay must be a path or timestamps, got {source!r}; for example Replay('arrivals.txt')")
    return gather(source, "the sequence"), "the sequence"
