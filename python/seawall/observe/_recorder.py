"""Fills a recording: a snapshot each second, from a thread that is started and stopped."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from types import TracebackType

from seawall.clock import Bell, Clock, SystemClock
from seawall.errors import ConfigError
from seawall.observe._recording import Recording
from seawall.observe._snapshot import Snapshot

_LOG = logging.getLogger("seawall")


class Recorder:
    """Appends to a recording what a source says, at regular times.

    Guarantees: a source that fails is logged, the first time of each row of failures, and asked again; `failures`
    counts. A source that is slow delays the next snapshot and no more.

    Thread safety: yes. A forked child records nothing until it starts its own.

    Args:
        source: Gives a snapshot, such as `Metrics.snapshot`.
        recording: Where to; a new one by default.
        every: Seconds between snapshots.

    Raises:
        ConfigError: `every` is not 0.01 s to a day.

    Example:
        >>> recorder = Recorder(lambda: Snapshot(1.0))
        >>> recorder.record()
        >>> recorder.recording.latest.at
        1.0
    """

    def __init__(
        self,
        source: Callable[[], Snapshot],
        recording: Recording | None = None,
        *,
        every: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, (int, float)) or not 0.01 <= every <= 86_400:
            raise ConfigError(f"every must be 0.01 to 86,400 seconds, got {every!r}")
        self.recording = Recording() if recording is None else recording
        self.failures = 0
        self._source = source
        self._every_ns = round(every * 1e9)
        self._clock = SystemClock() if clock is None else clock
        self._bell = Bell()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def record(self) -> None:
        """One snapshot now."""
        try:
            snapshot = self._source()
        except Exception:  # noqa: BLE001 - told once, and asked again
            self.failures += 1
            if not self._failing:
                _LOG.exception("no metrics can be recorded; they are asked for again, and this is told once")
            self._failing = True
            return
        self._failing = False
        self.recording.append(snapshot)

    def start(self) -> None:
        """Record from now on, in a thread; a second time does nothing."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._ended.clear()
        self._thread = threading.Thread(target=self._serve, name="seawall-recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Record no longer; waits for a snapshot under way."""
        self._ended.set()
        self._bell.ring()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def _serve(self) -> None:
        due = self._clock.now_ns()
        while not self._ended.is_set():
            self.record()
            now = self._clock.now_ns()
            # At regular times, without catching up on those that were missed.
            due += self._every_ns * max(1, math.ceil((now - due) / self._every_ns))
            while not self._ended.is_set() and self._clock.now_ns() < due:
                self._clock.park(self._bell, due)

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
