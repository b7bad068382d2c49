"""Numbers as a line of text."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], *, top: float | None = None) -> str:
    """Draw each value as one character, from 0 at the bottom to `top` (by default the largest value)."""
    ceiling = max(values, default=0.0) if top is None else top
    if ceiling <= 0:
        return _BARS[0] * len(values)
    last = len(_BARS) - 1
    return "".join(_BARS[round(min(max(value / ceiling, 0.0), 1.0) * last)] for value in values)
