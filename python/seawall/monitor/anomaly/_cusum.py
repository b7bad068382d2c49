"""Cumulative sums on both sides."""

from __future__ import annotations

from typing import NamedTuple

from seawall.monitor.anomaly._detector import Side, Stateful
from seawall.monitor.anomaly._learning import LearningOptions
from seawall.monitor.anomaly._spread import Learned, learn
from seawall.monitor.anomaly._verdict import WARMING, Verdict
from seawall.patterns import option


class CusumOptions(LearningOptions):
    """What a `Cusum` is asked for."""

    drift: float = option(default=0.75, least=0, most=100, unit="spreads", help="deviation of a value that is let pass")
    threshold: float = option(
        default=12.0, above=0, most=10_000, unit="spreads", help="tolerated sum of what is beyond"
    )
    clip: float = option(
        default=5.0, above=0, most=1000, unit="spreads", help="a value farther out counts as one there"
    )


class _Sums(NamedTuple):
    early: tuple[float, ...] = ()
    center: float = 0.0
    spread: float = 0.0
    up: float = 0.0
    down: float = 0.0


class Cusum(Stateful[_Sums]):
    """Deviations that add up are anomalous: the surest way to find a small shift that lasts.

    The sums are kept at most at twice the threshold, so that an alarm ends soon after what caused it.

    Source: E. Page, Continuous Inspection Schemes (1954); the tabular form of D. Montgomery, Introduction to
    Statistical Quality Control.

    Example:
        >>> detector = Cusum(warm_up=5)
        >>> for at, value in enumerate([10, 11, 10, 9, 10] + [14] * 8):
        ...     verdict = detector.update(value, at)
        >>> verdict.reason
        'values above 10.02 add up to 24.0 spreads'
    """

    kind = "cusum"
    State = _Sums

    def __init__(
        self,
        *,
        drift: float = 0.75,
        threshold: float = 12.0,
        clip: float = 5.0,
        warm_up: int = 60,
        memory: int | None = 600,
        side: Side = "both",
        least_spread: float = 0.0,
        least_share: float = 0.01,
    ) -> None:
        self._of = CusumOptions(
            drift=drift,
            threshold=threshold,
            clip=clip,
            warm_up=warm_up,
            memory=memory,
            side=side,
            least_spread=least_spread,
            least_share=least_share,
        )
        super().__init__(self._of)

    def fresh(self) -> _Sums:
        """Nothing learned."""
        return _Sums()

    def judge(self, state: _Sums, value: float, at: float) -> tuple[_Sums, Verdict]:  # noqa: ARG002
        """Add up, compare, then learn what is usual."""
        of = self._of
        known = Learned(state.early, state.center, state.spread)
        after = learn(known, value, warm_up=of.warm_up, memory=of.memory, floor=of.floor)
        if not known.ready:
            return _Sums(*after), WARMING
        away = max(-of.clip, min(of.clip, (value - known.center) / known.spread))
        most = 2 * of.threshold
        up = min(most, max(0.0, state.up + away - of.drift)) if of.side != "below" else 0.0
        down = min(most, max(0.0, state.down - away - of.drift)) if of.side != "above" else 0.0
        sum_, where = max((up, "above"), (down, "below"))
        score = sum_ / of.threshold
        reason = f"values {where} {known.center:.4g} add up to {sum_:.1f} spreads" if score > 1 else ""
        return _Sums(*after, up, down), Verdict(score > 1, score, known.center, True, reason)
