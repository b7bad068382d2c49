"""Values that must stay within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from seawall.monitor.anomaly._detector import Stateful
from seawall.monitor.anomaly._verdict import Verdict
from seawall.patterns import Options, option


class BoundsOptions(Options):
    """What a `Bounds` is asked for."""

    low: float | None = option(default=None, help="values below it are anomalous")
    high: float | None = option(default=None, help="values above it are anomalous")

    def check(self) -> Iterable[str]:
        """At least one bound, and the low one below the high one."""
        if self.low is None and self.high is None:
            yield "low or high must be given, got neither; a value cannot be out of no bounds"
        if self.low is not None and self.high is not None and self.low >= self.high:
            yield f"low must be below high, got {self.low:g} and {self.high:g}"


class _Nothing(NamedTuple):
    pass


class Bounds(Stateful[_Nothing]):
    """Values outside fixed bounds are anomalous. Needs no warm-up and learns nothing.

    The score is 1 at a bound and grows by the distance from the middle of both, or from 0 where there is one only.

    Example:
        >>> Bounds(high=8).update(10, at=0)
        Verdict(anomalous=True, score=1.25, expected=None, ready=True, reason='10 is above 8')
    """

    kind = "bounds"
    State = _Nothing

    def __init__(self, *, low: float | None = None, high: float | None = None) -> None:
        self._of = BoundsOptions(low=low, high=high)
        super().__init__(self._of)

    def fresh(self) -> _Nothing:
        """Nothing."""
        return _Nothing()

    def judge(self, state: _Nothing, value: float, at: float) -> tuple[_Nothing, Verdict]:  # noqa: ARG002
        """Compare with the bounds."""
        low, high = self._of.low, self._of.high
        if high is not None and value > high:
            return state, Verdict(True, self._score(value), None, True, f"{value:.4g} is above {high:g}")
        if low is not None and value < low:
            return state, Verdict(True, self._score(value), None, True, f"{value:.4g} is below {low:g}")
        return state, Verdict(False, min(1.0, self._score(value)), None, True, "")

    def _score(self, value: float) -> float:
        low, high = self._of.low, self._of.high
        if low is not None and high is not None:
            return abs(value - (low + high) / 2) / ((high - low) / 2)
        if high is not None:
            return max(0.0, 1 + (value - high) / (abs(high) or 1.0))
        assert low is not None
        return max(0.0, 1 + (low - value) / (abs(low) or 1.0))
