"""The moving average as a control chart."""

from __future__ import annotations

import math
from typing import NamedTuple

from seawall.monitor.anomaly._detector import Side, Stateful, out_of
from seawall.monitor.anomaly._learning import LearningOptions
from seawall.monitor.anomaly._spread import Learned, learn
from seawall.monitor.anomaly._verdict import WARMING, Verdict
from seawall.patterns import option


class EwmaOptions(LearningOptions):
    """What an `Ewma` is asked for."""

    weight: float = option(default=0.2, above=0, most=1, help="of the newest value in the average")
    threshold: float = option(
        default=6.0,
        above=0,
        most=1000,
        unit="spreads",
        help="tolerated distance of the average, in spreads of an average",
    )
    clip: float = option(
        default=5.0, above=0, most=1000, unit="spreads", help="a value farther out counts as one there"
    )


class _Average(NamedTuple):
    early: tuple[float, ...] = ()
    center: float = 0.0
    spread: float = 0.0
    away: float = 0.0
    seen: int = 0


class Ewma(Stateful[_Average]):
    """A moving average far from what is usual is anomalous: small shifts that last are found, single spikes are not.

    Guarantees: no single value is anomalous on its own while weight x clip is below the limit of the average, which
    holds for the default options.

    Source: S. Roberts, Control Chart Tests Based on Geometric Moving Averages (1959), with the exact variance of young
    averages.

    Example:
        >>> detector = Ewma(warm_up=5)
        >>> for at, value in enumerate([10, 11, 10, 9, 10] + [13] * 8):
        ...     verdict = detector.update(value, at)
        >>> verdict.reason
        'an average of 12.17 is 12.7 of its spreads above 10.02'
    """

    kind = "ewma"
    State = _Average

    def __init__(
        self,
        *,
        weight: float = 0.2,
        threshold: float = 6.0,
        clip: float = 5.0,
        warm_up: int = 60,
        memory: int | None = 600,
        side: Side = "both",
        least_spread: float = 0.0,
        least_share: float = 0.01,
    ) -> None:
        self._of = EwmaOptions(
            weight=weight,
            threshold=threshold,
            clip=clip,
            warm_up=warm_up,
            memory=memory,
            side=side,
            least_spread=least_spread,
            least_share=least_share,
        )
        super().__init__(self._of)

    def fresh(self) -> _Average:
        """Nothing learned."""
        return _Average()

    def judge(self, state: _Average, value: float, at: float) -> tuple[_Average, Verdict]:  # noqa: ARG002
        """Move the average, compare it, then learn what is usual."""
        of = self._of
        known = Learned(state.early, state.center, state.spread)
        after = learn(known, value, warm_up=of.warm_up, memory=of.memory, floor=of.floor)
        if not known.ready:
            return _Average(*after), WARMING
        clipped = max(-of.clip, min(of.clip, (value - known.center) / known.spread))
        away, seen = state.away + of.weight * (clipped - state.away), state.seen + 1
        limit = of.threshold * math.sqrt(of.weight / (2 - of.weight) * (1 - (1 - of.weight) ** (2 * min(seen, 10_000))))
        score = out_of(away, limit, of.side)
        reason = ""
        if score > 1:
            average = known.center + away * known.spread
            where = "above" if away > 0 else "below"
            reason = (
                f"an average of {average:.4g} is {score * of.threshold:.1f} of its spreads {where} {known.center:.4g}"
            )
        return _Average(*after, away, seen), Verdict(score > 1, score, known.center, True, reason)
