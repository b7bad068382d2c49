"""Does a loop of this process still turn?"""

from __future__ import annotations

from datetime import timedelta

from seawall.clock import Clock, SystemClock, to_ns
from seawall.monitor.health._words import Outcome


class Heartbeat:
    """Good while somebody calls `beat()` often enough: what liveness of a worker, a consumer or a scheduler is.

    Thread safety: yes. Cost of a beat: a reading of the clock.

    Args:
        within: The longest time between beats, in seconds; the first is due that long after this object was made.
        clock: What measures it.

    Example:
        >>> from seawall.clock import ManualClock
        >>> clock = ManualClock()
        >>> heart = Heartbeat(30, clock=clock)
        >>> clock.advance(31)
        >>> heart().output
        'no beat for 31.0 s, one is due every 30 s'
    """

    def __init__(self, within: float | timedelta, *, clock: Clock | None = None) -> None:
        self._within_ns = to_ns(within, "within", least_ns=1_000_000)
        self._clock = clock or SystemClock()
        self._at_ns = self._clock.now_ns()

    def beat(self) -> None:
        """It turns."""
        self._at_ns = self._clock.now_ns()

    def __call__(self) -> Outcome:
        """Look once."""
        age = self._clock.now_ns() - self._at_ns
        if age <= self._within_ns:
            return Outcome.passed(value=round(age / 1e9, 3), unit="s")
        text = f"no beat for {age / 1e9:.1f} s, one is due every {self._within_ns / 1e9:g} s"
        return Outcome.failed(text, value=round(age / 1e9, 3), unit="s")
