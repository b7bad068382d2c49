"""The Page-Hinkley test for a change of the mean."""

from __future__ import annotations

from typing import NamedTuple

from seawall.monitor.anomaly._detector import Side, Stateful
from seawall.monitor.anomaly._learning import SidedOptions
from seawall.monitor.anomaly._spread import Learned, learn
from seawall.monitor.anomaly._verdict import WARMING, Verdict
from seawall.patterns import option


class PageHinkleyOptions(SidedOptions):
    """What a `PageHinkley` is asked for."""

    drift: float = option(default=0.5, least=0, most=100, unit="spreads", help="deviation of a value that is let pass")
    threshold: float = option(default=25.0, above=0, most=10_000, unit="spreads", help="tolerated rise of the sum")
    clip: float = option(
        default=5.0, above=0, most=1000, unit="spreads", help="a value farther out counts as one there"
    )
    warm_up: int = option(default=60, least=5, most=10_000, unit="values", help="seen before anything is judged")
    memory: int = option(default=600, least=10, most=10_000_000, unit="values", help="the mean is of about so many")


class _Test(NamedTuple):
    early: tuple[float, ...] = ()
    center: float = 0.0
    spread: float = 0.0
    seen: int = 0
    up: float = 0.0
    down: float = 0.0


class PageHinkley(Stateful[_Test]):
    """Tells a change of the mean once, and begins anew with the level it finds then.

    The mean is that of all values since, and within the last `memory`; its spread is that of the warm-up. For what must
    be told as long as it lasts take Cusum.

    Source: E. Page (1954), D. Hinkley (1971); with the forgetting of J. Gama et al., A Survey on Concept Drift
    Adaptation (2014).

    Example:
        >>> detector = PageHinkley(warm_up=5, threshold=10)
        >>> told = [detector.update(v, at).anomalous for at, v in enumerate([10, 11, 10, 9, 10] + [16] * 20)]
        >>> told.index(True), told.count(True)
        (7, 1)
    """

    kind = "page_hinkley"
    State = _Test

    def __init__(
        self,
        *,
        drift: float = 0.5,
        threshold: float = 25.0,
        clip: float = 5.0,
        warm_up: int = 60,
        memory: int = 600,
        side: Side = "both",
        least_spread: float = 0.0,
        least_share: float = 0.01,
    ) -> None:
        self._of = PageHinkleyOptions(
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

    def fresh(self) -> _Test:
        """Nothing learned."""
        return _Test()

    def judge(self, state: _Test, value: float, at: float) -> tuple[_Test, Verdict]:  # noqa: ARG002
        """Move the mean, add up, and begin anew after a change."""
        of = self._of
        if state.spread == 0:
            after = learn(Learned(state.early), value, warm_up=of.warm_up, memory=None, floor=of.floor)
            return _Test(*after, seen=of.warm_up if after.ready else 0), WARMING
        away = max(-of.clip, min(of.clip, (value - state.center) / state.spread))
        up = max(0.0, state.up + away - of.drift) if of.side != "below" else 0.0
        down = max(0.0, state.down - away - of.drift) if of.side != "above" else 0.0
        sum_, where = max((up, "up"), (down, "down"))
        score = sum_ / of.threshold
        if score > 1:
            reason = f"the mean of {state.center:.4g} has gone {where}: {sum_:.1f} spreads together"
            return _Test(), Verdict(True, score, state.center, True, reason)
        seen = min(state.seen + 1, of.memory)
        center = state.center + away * state.spread / seen
        return _Test((), center, state.spread, seen, up, down), Verdict(False, score, state.center, True, "")
