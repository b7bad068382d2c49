"""What a family is, checked, and as the kernel takes it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe.metrics._names import Kind

Across = Literal["sum", "min", "max", "last"]

KINDS: tuple[Kind, ...] = ("counter", "gauge", "histogram")
ACROSS: tuple[Across, ...] = ("sum", "min", "max", "last")
MOST_SERIES = 1_000_000
_BOUNDS = {
    "": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "bytes": tuple(float(4**power) for power in range(4, 16)),
    "ratio": (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
}


class Definition(NamedTuple):
    """A family as the kernel knows it; numbers of a histogram in billionths of its unit."""

    kind: Kind
    across: Across
    unit: str
    help: str
    labels: tuple[str, ...]
    layout: tuple[int, int, int] = (0, 0, 0)
    bounds: tuple[int, ...] = ()
    max_series: int = 1_000

    def told(self) -> tuple[Any, ...]:
        """As the kernel takes it."""
        return (KINDS.index(self.kind) + 1, ACROSS.index(self.across), *self[2:])

    @classmethod
    def of(cls, told: tuple[Any, ...]) -> Definition:
        """What the kernel told."""
        kind, across, *rest = told
        return cls(KINDS[kind - 1], ACROSS[across], *rest)

    def difference(self, other: Definition) -> str | None:
        """What of both does not fit together, in words; help and the bound on series may differ."""
        for option in ("kind", "labels", "unit", "across", "layout", "bounds"):
            mine, its = getattr(self, option), getattr(other, option)
            if mine != its:
                return f"has {_said(option, mine)}, asked for was {_said(option, its)}"
        return None


def _said(option: str, value: Any) -> str:
    if option == "layout":
        return f"lowest={value[0] / 1e9:g}, highest={value[1] / 1e9:g}, digits={value[2]}"
    if option == "bounds":
        return f"bounds={tuple(bound / 1e9 for bound in value)}"
    return f"{option}={value!r}"


def checked_across(across: str) -> Across:
    """How the values of several workers are put together."""
    for known in ACROSS:
        if across == known:
            return known
    raise ConfigError(f"across must be 'sum', 'min', 'max' or 'last', got {across!r}; 'sum' is the default")


def checked_help(text: str) -> str:
    """A text for people."""
    if not isinstance(text, str) or len(text) > 2_000:
        raise ConfigError(f"help must be a text of at most 2,000 characters, got {text!r}")
    return text


def checked_max_series(most: int) -> int:
    """How many series a family may have."""
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST_SERIES:
        raise ConfigError(f"max_series must be 1 to {MOST_SERIES:,}, got {most!r}; 1,000 is the default")
    return most


def checked_histogram(
    lowest: float, highest: float, digits: int, bounds: Sequence[float] | None, unit: str
) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """The layout and the classic bounds of a histogram."""
    layout = Histogram(lowest, highest, digits)._layout()[:3]
    if bounds is None:
        usual = (round(bound * 1e9) for bound in _BOUNDS.get(unit, _BOUNDS[""]))
        return layout, tuple(bound for bound in usual if bound <= layout[1])
    return layout, _checked_bounds(bounds, layout[1])


def _checked_bounds(bounds: Iterable[float], highest: int) -> tuple[int, ...]:
    limits = tuple(bounds)
    numbers = all(isinstance(bound, (int, float)) and math.isfinite(bound) and bound > 0 for bound in limits)
    whole = tuple(round(bound * 1e9) for bound in limits) if numbers else ()
    if not numbers or not all(low < high for low, high in itertools.pairwise(whole)) or len(whole) > 200:
        raise ConfigError(f"bounds must be rising numbers above 0, at most 200, got {limits}; +Inf is added by itself")
    if whole and not 0 < whole[0] <= whole[-1] <= highest:
        raise ConfigError(f"bounds must be 1e-9 to highest, {highest / 1e9:g}, got {limits}; raise highest")
    return whole
