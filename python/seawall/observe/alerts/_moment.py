"""A recording as rules see it at one moment."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seawall.errors import ConfigError
from seawall.observe._recording import Recording, Window
from seawall.observe._snapshot import Labels, Selector, Snapshot

if TYPE_CHECKING:
    from seawall.observe._distribution import Distribution
    from seawall.observe.alerts._slo_sums import Counting, Sums


class Moment:
    """What a recording held at `now`; what several rules ask for is worked out once.

    Thread safety: for one thread.

    Args:
        recording: Or its snapshots, oldest first.
        now: Unix seconds. Later snapshots are not seen.

    Example:
        >>> from seawall.observe import Family, Sample, Snapshot
        >>> past = [Snapshot(float(at), (Family("calls", "counter", (Sample((), at * 5.0),)),)) for at in range(100)]
        >>> Moment(past, 60.0).window(30).rate("calls")
        5.0
    """

    def __init__(self, recording: Recording | Sequence[Snapshot], now: float) -> None:
        self.now = now
        whole = tuple(recording) if isinstance(recording, Recording) else recording
        self._whole: Sequence[Snapshot] = whole
        self._end = bisect.bisect_right(whole, now, key=_at)
        self._windows: dict[float, Window] = {}
        self._grown: dict[tuple[Selector, float], dict[Labels, float | Distribution] | None] = {}
        self._sums: dict[Counting, Sums] = {}

    @property
    def latest(self) -> Snapshot | None:
        """The last snapshot up to now."""
        return self._whole[self._end - 1] if self._end else None

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """All up to now, oldest first."""
        return self._whole[: self._end]

    def window(self, seconds: float) -> Window:
        """The stretch of `seconds` that ends now, as `Recording.window` has it."""
        if not seconds > 0:
            raise ConfigError(f"a window must be longer than 0 s, got {seconds!r}")
        if seconds not in self._windows:
            begin = bisect.bisect_right(self._whole, self.now - seconds, hi=self._end, key=_at)
            self._windows[seconds] = Window(tuple(self._whole[max(0, begin - 1) : self._end]))
        return self._windows[seconds]

    def grown(self, what: Selector, seconds: float) -> dict[Labels, float | Distribution] | None:
        """By how much each series grew in the last `seconds`; None where nothing is known."""
        key = (what, seconds)
        if key not in self._grown:
            self._grown[key] = self.window(seconds)._grown(what)
        return self._grown[key]

    def then(self, now: float) -> Moment:
        """The same recording at another moment."""
        moment = Moment(self._whole, now)
        moment._sums = self._sums
        return moment

    def sums(self, counting: Counting) -> Sums:
        """Bad and all events of an objective, beyond now too: they are asked for a time."""
        if counting not in self._sums:
            self._sums[counting] = counting.sums(self._whole)
        return self._sums[counting]


def _at(snapshot: Snapshot) -> Any:
    return snapshot.at
