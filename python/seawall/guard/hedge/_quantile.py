"""When to hedge, learnt from the calls themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import NamedTuple

from seawall._core.histogram import Histogram
from seawall.clock import to_ns
from seawall.errors import ConfigError

_LOWEST_NS, _HIGHEST_NS, _DIGITS = 1_000, 3_600_000_000_000, 2
_LOOKS = 20  # in a window


@dataclass(frozen=True)
class Quantile:
    """Hedge when a call has taken longer than this share of the latest calls.

    The share is of the last `window` seconds, or of the last `min_samples` calls where those took longer to come.

    Args:
        share: 0.5 to 0.999; 0.95 hedges about one call in twenty.
        window: How far back calls are remembered, in seconds or as timedelta, 1 s to a day.
        min_samples: Calls that must have been seen before any is hedged, 10 to 1,000,000.

    Raises:
        ConfigError: A value is out of range.
    """

    share: float
    window: float | timedelta = 60.0
    min_samples: int = 100

    def __post_init__(self) -> None:
        share, least = self.share, self.min_samples
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0.5 <= share <= 0.999:
            raise ConfigError(f"share must be 0.5 to 0.999, got {share!r}; the 95th percentile is 0.95")
        if isinstance(least, bool) or not isinstance(least, int) or not 10 <= least <= 1_000_000:
            raise ConfigError(f"min_samples must be a whole number, 10 to 1000000 calls, got {least!r}")
        if not 1_000_000_000 <= to_ns(self.window, "window") <= 86_400_000_000_000:
            raise ConfigError(f"window must be 1 s to a day, got {self.window!r}")


class Learnt(NamedTuple):
    """What is known at one moment: nanoseconds; -1 while too little is known."""

    quantile: int
    median: int


class Latencies:
    """The latest latencies in two histograms, of which the older is thrown away as a whole: bounded, whatever the rate.

    Thread safety: yes; a record that races with `look` may fall into the histogram that is on its way out.
    """

    def __init__(self, quantile: Quantile, now_ns: int) -> None:
        self._share = quantile.share
        self._window = to_ns(quantile.window, "window")
        self._least = quantile.min_samples
        self._lock = Lock()
        self._older: Histogram | None = None
        self._began = now_ns
        self.recent = _histogram()
        self.due = now_ns + self._window // _LOOKS
        self.wanted = quantile.min_samples

    def look(self, now_ns: int) -> Learnt:
        """What the latencies say now; sets when to look again."""
        with self._lock:
            merged = _histogram()
            for histogram in filter(None, (self._older, self.recent)):
                merged._merge(histogram)
            self._turn(now_ns)
            self.due = now_ns + self._window // _LOOKS
            missing = self._least - merged.count
            self.wanted = missing if missing > 0 else 1 << 62
        if missing > 0:
            return Learnt(-1, -1)
        quantile, median = merged.percentiles((self._share * 100, 50.0))
        return Learnt(math.ceil(quantile * 1e9), round(median * 1e9))

    def _turn(self, now_ns: int) -> None:
        """Half a window has passed, and its calls are enough to stand on."""
        if now_ns - self._began >= self._window // 2 and self.recent.count >= self._least:
            self._older, self.recent, self._began = self.recent, _histogram(), now_ns


def _histogram() -> Histogram:
    return Histogram(_LOWEST_NS, _HIGHEST_NS, _DIGITS)
