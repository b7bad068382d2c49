"""From values to places along an axis, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from seawall.measure.report import _format

Label = Callable[[float], str]
_STEPS = (1.0, 2.0, 5.0, 10.0)
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis.

    Args:
        low: The value at its beginning.
        high: The value at its end.
        ticks: Values that get a mark, with their labels.
        kind: `log` places equal ratios equally far apart.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    kind: Literal["linear", "log"] = "linear"

    def place(self, value: float) -> float:
        """Where a value stands, 0 to 1; what is off the axis stands at its end."""
        if self.kind == "log":
            whole = math.log(self.high / self.low)
            return min(max(math.log(max(value, self.low) / self.low) / whole, 0.0), 1.0)
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def linear(top: float, label: Label, *, most: int = 5) -> Scale:
    """From 0 to a round number not below `top`."""
    top = top if top > 0 else 1.0
    step = _round_step(top / most)
    n = math.ceil(top / step - 1e-9)
    return Scale(0.0, n * step, tuple((i * step, label(i * step)) for i in range(n + 1)))


def logarithmic(low: float, high: float, label: Label, *, most: int = 9) -> Scale:
    """Over the positive values from `low` to `high`, with ticks at the powers of ten, at 1, 2 and 5 where few."""
    low = max(low, high * 1e-9, 1e-9)
    high = max(high, low * 1.2)
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    wide = math.log10(high / low)
    dense = wide * 3 < most or wide < 1
    factors = (1, 2, 5) if dense else (1,)
    all_ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    # A whole empty decade below the values would be waste.
    begin = max(tick for tick in all_ticks if tick <= low * 1.0000001) if dense else low / 1.05
    end = min(t for t in [*all_ticks, math.inf] if t >= high * 0.9999999) if dense else high * 1.05
    end = high * 1.05 if math.isinf(end) else end
    ticks = tuple((tick, label(tick)) for tick in all_ticks if begin * 0.9999999 <= tick <= end * 1.0000001)
    return Scale(begin, end, ticks, "log")


def fitting(values: Sequence[float], label: Label, *, most: int = 9) -> Scale:
    """Logarithmic where the positive values span more than a factor of thirty, else linear from 0."""
    positive = [value for value in values if value > 0]
    low, high = min(positive, default=0.0), max(positive, default=1.0)
    wide = bool(positive) and high / low > 30
    return logarithmic(low, high, label, most=most) if wide else linear(high, label, most=min(most, 5))


def moments(span: float, *, most: int = 8) -> Scale:
    """The time of a run, from 0 to its end."""
    span = span if span > 0 else 1.0
    longer = [step for step in _TIMES if span / step <= most]
    step = _round_step(span / most) if span < most else (longer or [86400 * math.ceil(span / 86400 / most)])[0]
    n = math.floor(span / step + 1e-9)
    return Scale(0.0, span, tuple((i * step, _format.moment(i * step, span=span)) for i in range(n + 1)))


def percentiles(count: int) -> Scale:
    """Percentiles as HdrHistogram draws them: each nine takes as much room. Values are log10(1 / (1 - p))."""
    end = max(math.log10(max(count, 2)), 1.0)
    nines = [(float(n), _nines(n)) for n in range(1, math.floor(end + 1e-9) + 1)]
    # Of 0, 50 and 90 % the middle one would touch the others where many nines share the axis.
    first = [(0.0, "0 %"), (math.log10(2), "50 %")] if end < 3.2 else [(0.0, "0 %")]
    return Scale(0.0, end, (*first, *nines))


def _nines(n: int) -> str:
    return f"{100 - 10.0 ** (2 - n):.{max(n - 2, 0)}f} %"


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in _STEPS if factor * power >= least * 0.9999999)
