"""How much gets through."""

from __future__ import annotations

import math
import threading
from collections import deque
from datetime import timedelta

from seawall.clock import Clock, to_ns
from seawall.errors import ConfigError
from seawall.measure._checks import checked_amount, checked_clock, checked_name
from seawall.measure._ring import Ring
from seawall.measure._throughput_report import Checkpoint, Rate, ThroughputReport, ThroughputWindow

_CHECKPOINTS = 1024


class ThroughputMeter:
    """Counts requests and bytes, and answers how many there are per second: lately, at peak, between checkpoints.

    Guarantees: totals are exact. Every record is in exactly one window; windows follow each other without a gap
    from the moment the meter is made.
    Units: seconds, and per second.
    Thread safety: any thread. Cost: about 0.8 us a record; memory for `keep` windows, however long it runs.

    Args:
        name: What reports call it.
        window: The length of a window.
        keep: How many whole windows `rate` and `series` can look back on.
        clock: What time it is.

    Raises:
        ConfigError: an option is out of range.

    Example:
        >>> from seawall import ManualClock
        >>> clock = ManualClock()
        >>> meter = ThroughputMeter("uploads", clock=clock)
        >>> meter.record(10, bytes=4096)
        >>> clock.advance(2)
        >>> meter.rate()
        Rate(requests=5.0, bytes=2048.0)
    """

    __slots__ = (
        "_bytes",
        "_checkpoints",
        "_latest_ns",
        "_lock",
        "_requests",
        "_ring",
        "_start_ns",
        "_window_ns",
        "clock",
        "name",
    )

    def __init__(
        self,
        name: str = "throughput",
        *,
        window: float | timedelta = 1.0,
        keep: int = 60,
        clock: Clock | None = None,
    ) -> None:
        self.name = checked_name(name)
        self.clock = checked_clock(clock)
        self._window_ns = to_ns(window, "window")
        self._ring = Ring(checked_amount("keep", keep, "60 windows of a second show the last minute"))
        self._lock = threading.Lock()
        self._requests = self._bytes = self._latest_ns = 0
        self._start_ns = self.clock.now_ns()
        self._checkpoints: deque[Checkpoint] = deque(maxlen=_CHECKPOINTS)

    @property
    def window(self) -> float:
        """The option `window`, in seconds."""
        return self._window_ns / 1e9

    @property
    def keep(self) -> int:
        """The option `keep`."""
        return self._ring.keep

    @property
    def requests(self) -> int:
        """All requests so far."""
        return self._requests

    @property
    def bytes(self) -> int:
        """All bytes so far."""
        return self._bytes

    def record(self, requests: int = 1, bytes: int = 0) -> None:
        """Count requests and bytes now.

        Raises:
            ValueError: one of them is negative.
            TypeError: one of them is no whole number.
        """
        _check("requests", requests)
        _check("bytes", bytes)
        with self._lock:
            self._now()
            self._ring.add(requests, bytes)
            self._requests += requests
            self._bytes += bytes

    def rate(self, last: float | timedelta | None = None) -> Rate:
        """Requests and bytes per second in the `last` seconds, by default in as many as are kept.

        Looks back to where a window begins, so at least `last` seconds and less than a window more, or to when the
        meter was made.

        Raises:
            ConfigError: `last` is not positive, or longer than the windows kept.
        """
        kept_ns = self.keep * self._window_ns
        last_ns = kept_ns if last is None else to_ns(last, "last", most_ns=kept_ns)
        with self._lock:
            now = self._now()
            first = max(0, now - last_ns) // self._window_ns
            seen = [window for window in self._ring.seen(self.keep) if window[0] >= first]
        return Rate.over(sum(w[1] for w in seen), sum(w[2] for w in seen), now - seen[0][0] * self._window_ns)

    @property
    def mean(self) -> Rate:
        """Per second since the meter was made; nan where no time has passed."""
        with self._lock:
            return self._mean(self._now())

    @property
    def peak(self) -> Rate:
        """The highest of each in any whole window so far; nan before the first is whole."""
        with self._lock:
            self._now()
            return self._peak()

    def series(self) -> list[ThroughputWindow]:
        """The whole windows that are kept, oldest first; the running one is not among them."""
        with self._lock:
            self._now()
            return self._series()

    def checkpoint(self, name: str) -> Checkpoint:
        """Name this moment; its rate is that since the checkpoint before it. The last 1024 are kept.

        Raises:
            ConfigError: the name is empty, or a checkpoint has it.
        """
        checked_name(name)
        with self._lock:
            now = self._now()
            _check_unused(name, self._checkpoints)
            before = self._checkpoints[-1] if self._checkpoints else Checkpoint("", 0.0, 0, 0, Rate(math.nan, math.nan))
            passed = now - round(before.at * 1e9)
            rate = Rate.over(self._requests - before.requests, self._bytes - before.bytes, passed)
            made = Checkpoint(name, now / 1e9, self._requests, self._bytes, rate)
            self._checkpoints.append(made)
        return made

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All checkpoints that are kept, oldest first."""
        with self._lock:
            return tuple(self._checkpoints)

    def report(self) -> ThroughputReport:
        """All figures of one moment; `str()` of it is a table."""
        with self._lock:
            now = self._now()
            return ThroughputReport(
                name=self.name,
                elapsed=now / 1e9,
                requests=self._requests,
                bytes=self._bytes,
                mean=self._mean(now),
                peak=self._peak(),
                window=self.window,
                series=tuple(self._series()),
                checkpoints=tuple(self._checkpoints),
            )

    def to_json(self) -> str:
        """The report as a JSON object."""
        return self.report().to_json()

    def to_csv(self) -> str:
        """The series as CSV, a line a window."""
        return self.report().to_csv()

    def _now(self) -> int:
        """Nanoseconds since the start, and the ring turned there; a clock that steps back stands still."""
        self._latest_ns = max(self._latest_ns, self.clock.now_ns() - self._start_ns)
        self._ring.turn_to(self._latest_ns // self._window_ns)
        return self._latest_ns

    def _mean(self, now: int) -> Rate:
        return Rate.over(self._requests, self._bytes, now)

    def _peak(self) -> Rate:
        ring = self._ring
        return Rate.over(ring.peak_requests, ring.peak_bytes, self._window_ns if ring.newest else 0)

    def _series(self) -> list[ThroughputWindow]:
        return [ThroughputWindow(i * self._window_ns / 1e9, n, size) for i, n, size in self._ring.seen(self.keep)[:-1]]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, requests={self.requests}, bytes={self.bytes})"


def _check(what: str, amount: int) -> None:
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError(f"{what} must be a whole number, got {amount!r}")
    if amount < 0:
        raise ValueError(f"{what} must not be negative, got {amount}; totals only rise")


def _check_unused(name: str, checkpoints: deque[Checkpoint]) -> None:
    if any(point.name == name for point in checkpoints):
        raise ConfigError(f"a checkpoint is named {name!r} already; give each its own name")
