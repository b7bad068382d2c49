"""What is usual at this time of the day, or of any other period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from seawall.monitor.anomaly._detector import Side, Stateful
from seawall.monitor.anomaly._learning import SidedOptions
from seawall.monitor.anomaly._robust_z import verdict_of
from seawall.monitor.anomaly._spread import center_and_spread, median
from seawall.monitor.anomaly._verdict import WARMING, Verdict
from seawall.patterns import option

_MOST_CELLS = 1_000_000


class SeasonalOptions(SidedOptions):
    """What a `Seasonal` is asked for."""

    period: float | timedelta = option(unit="s", above=0, most=31_622_400, help="after which values are alike again")
    slots: int = option(default=24, least=2, most=10_080, help="parts of a period with a usual value each")
    threshold: float = option(default=6.0, above=0, most=1000, unit="spreads", help="tolerated distance from usual")
    keep: int = option(default=28, least=4, most=10_000, unit="values", help="of each slot; older ones are forgotten")
    warm_up: int = option(default=4, least=2, most=10_000, unit="values", help="in a slot before it is judged")

    def check(self) -> Iterable[str]:
        """A warm-up that can end, and a bounded memory."""
        if self.warm_up > self.keep:
            yield f"warm_up must be at most keep, {self.keep} values, got {self.warm_up}"
        if self.slots * self.keep > _MOST_CELLS:
            yield f"slots x keep must be at most {_MOST_CELLS:,} values, got {self.slots * self.keep:,}"


class _Slots(NamedTuple):
    slots: tuple[tuple[float, ...], ...]
    residuals: tuple[float, ...] = ()


class Seasonal(Stateful[_Slots]):
    """A value far from the median of its slot is anomalous: a slot is a part of the period, such as an hour of the day.

    The spread is the larger one of the slot's own and of how far all values lately were from their slots, as a slot
    of few values may seem quieter than it is.

    Guarantees: keeps at most slots x keep values and 240 distances.
    Cost: about 20 us a value by default, and a copy of the table of slots.

    Args:
        period: Such as 86,400 s; slots begin at whole multiples of it in unix time, so days are those of UTC.
        slots: Such as 24 hours or 288 times five minutes.

    Example:
        >>> detector = Seasonal(period=86_400, slots=24, warm_up=3)
        >>> for hour in range(24 * 5):
        ...     verdict = detector.update(100 if hour % 24 == 3 else 5, at=hour * 3600)
        >>> [detector.update(100, at=(24 * 5 + hour) * 3600).anomalous for hour in (3, 4)]
        [False, True]
    """

    kind = "seasonal"
    State = _Slots

    def __init__(
        self,
        *,
        period: float | timedelta,
        slots: int = 24,
        threshold: float = 6.0,
        keep: int = 28,
        warm_up: int = 4,
        side: Side = "both",
        least_spread: float = 0.0,
        least_share: float = 0.01,
    ) -> None:
        self._of = SeasonalOptions(
            period=period,
            slots=slots,
            threshold=threshold,
            keep=keep,
            warm_up=warm_up,
            side=side,
            least_spread=least_spread,
            least_share=least_share,
        )
        assert not isinstance(self._of.period, timedelta)
        self._period = self._of.period
        super().__init__(self._of)

    def fresh(self) -> _Slots:
        """Empty slots."""
        return _Slots(((),) * self._of.slots)

    def slot(self, at: float) -> int:
        """Which slot a time belongs to."""
        return min(self._of.slots - 1, int(at % self._period / self._period * self._of.slots))

    def judge(self, state: _Slots, value: float, at: float) -> tuple[_Slots, Verdict]:
        """Compare with the slot of `at`, then let the value in."""
        of, here = self._of, self.slot(at)
        known = state.slots[here]
        slots = (*state.slots[:here], (*known, value)[-of.keep :], *state.slots[here + 1 :])
        if len(known) < of.warm_up:
            return _Slots(slots, state.residuals), WARMING
        center, spread = center_and_spread(known, of.floor)
        if state.residuals:
            spread = max(spread, 1.4826 * median(state.residuals))
        residuals = (*state.residuals, abs(value - center))[-240:]
        verdict = verdict_of(value, center, (value - center) / spread, of.threshold, of.side)
        return _Slots(slots, residuals), verdict
