"""What is left of a series once its rhythm is taken off."""

from __future__ import annotations

from typing import Any

from seawall.monitor.anomaly._detector import Stateful
from seawall.monitor.anomaly._seasonal import Seasonal
from seawall.monitor.anomaly._verdict import MISSING, WARMING, Verdict


class Deseasoned:
    """Takes off what is usual in this slot of the period, and lets another detector judge what is left.

    `Seasonal` alone compares single values; with `Cusum` behind it small shifts are found in values that have a rhythm.

    Thread safety: yes, as the detectors are.

    Args:
        seasonal: Knows the rhythm; its own verdict plays no part.
        then: Judges the differences, which lie around 0: options that are shares of what is usual mean little to it.

    Example:
        >>> from seawall.monitor.anomaly import Cusum
        >>> detector = Deseasoned(Seasonal(period=4, slots=4), Cusum(warm_up=8, least_spread=1))
        >>> for at in range(40):
        ...     verdict = detector.update((0, 50, 90, 50)[at % 4], at)
        >>> told = [detector.update((0, 50, 90, 50)[at % 4] + 4, at).anomalous for at in range(40, 50)]
        >>> told.index(True)
        3
    """

    kind = "deseasoned"

    def __init__(self, seasonal: Seasonal, then: Stateful[Any]) -> None:
        self.seasonal, self.then = seasonal, then

    def update(self, value: float | None, at: float) -> Verdict:
        """Judge the next value, then learn from it."""
        usual = self.seasonal.update(value, at)
        if value is None or usual.expected is None:
            return MISSING if usual is MISSING else WARMING
        verdict = self.then.update(value - usual.expected, at)
        expected = None if verdict.expected is None else verdict.expected + usual.expected
        reason = f"of what differs from {usual.expected:.4g}: {verdict.reason}" if verdict.reason else ""
        return verdict._replace(expected=expected, reason=reason if verdict.ready else verdict.reason)

    def reset(self) -> None:
        """Forget everything, the rhythm too."""
        self.seasonal.reset()
        self.then.reset()

    def to_dict(self) -> dict[str, Any]:
        """Both detectors as plain data; `detector_from` reads it."""
        return {"kind": self.kind, "seasonal": self.seasonal.to_dict(), "then": self.then.to_dict()}

    def __repr__(self) -> str:
        return f"Deseasoned({self.seasonal!r}, {self.then!r})"
