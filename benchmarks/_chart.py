"""A bar chart of ours against others, as SVG, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from benchmarks._rows import Row, grouped, times

_LINE, _BAR, _TITLE = 22, 14, 34
_LEFT, _WIDTH, _RIGHT = 330, 420, 90
_OURS, _OTHERS, _TEXT, _GRID = "#0b7285", "#adb5bd", "#212529", "#dee2e6"


def chart(rows: list[Row], units: Mapping[str, str] | None = None) -> str | None:
    """The SVG; None where there is nobody to compare with.

    Args:
        rows: What is drawn: the ratio of each.
        units: What the ratios of a group really are, by its name, where they are none.
    """
    groups = {name: [row for row in members if not row.trouble] for name, members in grouped(rows).items()}
    groups = {name: members for name, members in groups.items() if _is_contest(members)}
    if not groups:
        return None
    ratios = [row.ratio for members in groups.values() for row in members]
    low, high = math.floor(math.log10(min(ratios) * 0.9)), math.ceil(math.log10(max(ratios)))
    scale = _Scale(low, max(high, low + 1))
    parts: list[str] = []
    y = 10
    for name, members in groups.items():
        parts += _group(name, (units or {}).get(name) or _unit(members), members, y, scale)
        y += _TITLE + _LINE * len(members) + 30
    return _document(parts, y)


def _is_contest(rows: list[Row]) -> bool:
    return any(row.is_ours for row in rows) and any(not row.is_ours for row in rows)


class _Scale:
    """Places on a logarithmic axis from 10**low to 10**high."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def x(self, ratio: float) -> float:
        return _LEFT + _WIDTH * (math.log10(ratio) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _unit(rows: list[Row]) -> str:
    return "x time.monotonic()" if all(row.of is None for row in rows) else "x bare interpreter"


def _group(name: str, unit: str, rows: list[Row], y: int, scale: _Scale) -> list[str]:
    top, bottom = y + _TITLE - 6, y + _TITLE + _LINE * len(rows)
    parts = [f'<text x="12" y="{y + 18}" font-weight="bold">{escape(name)}, {unit}</text>']
    for tick in scale.ticks():
        x, strong = scale.x(tick), tick == 1.0
        parts.append(
            f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{_TEXT if strong else _GRID}"'
            f"{' stroke-dasharray=' + chr(34) + '3 3' + chr(34) if strong else ''}/>"
        )
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" font-size="11">{tick:,.10g}</text>')
    for place, row in enumerate(rows):
        parts += _bar(row, y + _TITLE + _LINE * place, scale)
    return parts


def _bar(row: Row, y: int, scale: _Scale) -> list[str]:
    end, weight = scale.x(row.ratio), ' font-weight="bold"' if row.is_ours else ""
    middle = y + _BAR - 3
    place = f'x="{end + 6:.1f}" y="{middle}"{weight}'
    return [
        f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end"{weight}>{escape(f"{row.library} {row.call}")}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{max(end - _LEFT, 1):.1f}" height="{_BAR}" rx="2" '
        f'fill="{_OURS if row.is_ours else _OTHERS}"/>',
        # First a halo, where the number lies on a line of the grid; not every viewer knows paint-order.
        f'<text {place} stroke="white" stroke-width="4">{times(row.ratio)}</text>',
        f"<text {place}>{times(row.ratio)}</text>",
    ]


def _document(parts: list[str], height: int) -> str:
    width = _LEFT + _WIDTH + _RIGHT
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{_TEXT}">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
