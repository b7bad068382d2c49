"""Distance from the median of a window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from seawall.monitor.anomaly._detector import Side, Stateful, out_of
from seawall.monitor.anomaly._learning import SidedOptions
from seawall.monitor.anomaly._spread import center_and_spread
from seawall.monitor.anomaly._verdict import WARMING, Verdict
from seawall.patterns import option


class RobustZOptions(SidedOptions):
    """What a `RobustZ` is asked for."""

    threshold: float = option(default=6.0, above=0, most=1000, unit="spreads", help="tolerated distance from usual")
    window: int = option(default=120, least=5, most=10_000, unit="values", help="what is usual is learned from so many")
    warm_up: int = option(default=30, least=5, most=10_000, unit="values", help="seen before anything is judged")

    def check(self) -> Iterable[str]:
        """A warm-up that fits into the window."""
        if self.warm_up > self.window:
            yield f"warm_up must be at most the window of {self.window} values, got {self.warm_up}"


class _Window(NamedTuple):
    values: tuple[float, ...] = ()


class RobustZ(Stateful[_Window]):
    """A value far from the median of the last ones is anomalous, far being told by their median absolute deviation.

    Up to half of the window may be odd without being taken for usual. A new level is told for about half a window, then
    it is usual. Finds spikes and steps at once; a slow drift never.

    Cost: about 25 us a value with a window of 120.

    Source: B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers (1993).

    Example:
        >>> detector = RobustZ(warm_up=5)
        >>> for at, value in enumerate([10, 11, 10, 9, 10, 11]):
        ...     verdict = detector.update(value, at)
        >>> detector.update(40, at=6).anomalous
        True
    """

    kind = "robust_z"
    State = _Window

    def __init__(
        self,
        *,
        threshold: float = 6.0,
        window: int = 120,
        warm_up: int = 30,
        side: Side = "both",
        least_spread: float = 0.0,
        least_share: float = 0.01,
    ) -> None:
        self._of = RobustZOptions(
            threshold=threshold,
            window=window,
            warm_up=warm_up,
            side=side,
            least_spread=least_spread,
            least_share=least_share,
        )
        super().__init__(self._of)

    def fresh(self) -> _Window:
        """An empty window."""
        return _Window()

    def judge(self, state: _Window, value: float, at: float) -> tuple[_Window, Verdict]:  # noqa: ARG002
        """Compare with the window, then let the value in."""
        after = _Window((*state.values, value)[-self._of.window :])
        if len(state.values) < self._of.warm_up:
            return after, WARMING
        center, spread = center_and_spread(state.values, self._of.floor)
        away = (value - center) / spread
        return after, verdict_of(value, center, away, self._of.threshold, self._of.side)


def verdict_of(value: float, center: float, away: float, threshold: float, side: Side) -> Verdict:
    """The verdict of a value that lies `away` spreads from what was expected."""
    score = out_of(away, threshold, side)
    anomalous = score > 1
    reason = (
        f"{value:.4g} is {abs(away):.1f} spreads {'above' if away > 0 else 'below'} {center:.4g}" if anomalous else ""
    )
    return Verdict(anomalous, score, center, True, reason)
