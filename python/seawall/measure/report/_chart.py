"""One plot as a figure: SVG with axes, series and marks, its legend, and the values for whoever points at it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from seawall.measure.report import _lanes
from seawall.measure.report._markup import Markup, coordinate, tag
from seawall.measure.report._scale import Scale
from seawall.measure.report._thin import Point, envelope

Unit = Literal["s", "/s", "B/s", ""]
Axis = Literal["moment", "percentile", "length"]
_LANE = 15.0
_CHARACTER = 6.6
_CROWD = 12


@dataclass(frozen=True, slots=True)
class Size:
    """How large a plot is, in its own units; its page scales it."""

    width: float
    height: float
    left: float = 60.0
    right: float = 16.0
    top: float = 14.0
    bottom: float = 42.0


NORMAL = Size(560, 290)
SMALL = Size(300, 165, left=52, right=10, top=8, bottom=24)


@dataclass(slots=True)
class Chart:
    """A plot under construction.

    Args:
        title: What it shows, in a few words.
        about: The same in a sentence with the main numbers, for those who cannot see it.
        x: The axis to the right.
        y: The axis upwards.
        unit: Of the y values.
        x_name: What the x axis counts.
        axis: What x is: a moment of the run (such plots share a crosshair), a percentile on its scale, or a length of
            time.
    """

    title: str
    about: str
    x: Scale
    y: Scale
    unit: Unit
    x_name: str = ""
    axis: Axis = "moment"
    size: Size = NORMAL
    _back: list[Markup] = field(default_factory=list)
    _front: list[Markup] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)
    _values: list[dict[str, object]] = field(default_factory=list)
    _events: list[_lanes.Placed] = field(default_factory=list)

    def band(self, begin: float, end: float, name: str, *, odd: bool) -> None:
        """Shade a part of the time line."""
        left, right = self._across(begin), self._across(end)
        place = {"x": left, "y": self.size.top, "width": max(right - left, 0.0), "height": self._inner_height}
        self._back.append(tag("rect", class_="band odd" if odd else "band", **place))
        if len(name) * _CHARACTER < right - left - 6:
            self._back.append(tag("text", name, class_="bandname", x=left + 5, y=self.size.top + 13))

    def line(self, name: str, points: Sequence[Point], style: str) -> None:
        """A line through points; a gap where there is no value."""
        drawn = envelope(points)
        path = "".join(self._segment(run) for run in _runs(drawn))
        self._series(name, style, tag("path", d=path, class_=f"line {style}"), drawn)

    def steps(self, name: str, points: Sequence[Point], width: float, style: str, *, area: bool = False) -> None:
        """A level for each slice of `width` from its x on; with `area`, filled down to the axis."""
        drawn = envelope(points)
        pieces = []
        for run in _runs(drawn):
            corners = self._corners(run, width)
            pieces.append("M" + "L".join(_pair(x, y) for x, y in corners))
            if area:
                floor = self._down(self.y.low)
                pieces.append(f"L{_pair(corners[-1][0], floor)}L{_pair(corners[0][0], floor)}Z")
        shape = tag("path", d="".join(pieces), class_=f"{'area' if area else 'line'} {style}")
        self._series(name, style + (" area" if area else ""), shape, [(x + width / 2, y) for x, y in drawn])

    def bars(self, name: str, edges: Sequence[float], counts: Sequence[int], style: str) -> None:
        """A bar between each two edges; one request is still seen."""
        floor, shapes = self._down(self.y.low), []
        for begin, end, count in zip(edges[:-1], edges[1:], counts, strict=True):
            if count:
                left, right = self._across(begin), self._across(end)
                top = min(self._down(count), floor - 1.5)
                shapes.append(tag("rect", x=left + 0.4, y=top, width=max(right - left - 0.8, 0.6), height=floor - top))
        middles = [((a * b) ** 0.5, float(n)) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]
        self._series(name, style + " area", tag("g", *shapes, class_=f"bars {style}"), list(middles))

    def events(self, moments: Sequence[tuple[float, str]], *, lanes: int = 3) -> None:
        """Mark moments by lines, with their names above the plot where there is room."""
        low, high = self.size.left, self.size.width - self.size.right
        named = _once(moments) if len(moments) > _CROWD else moments
        on_axis = [(self._across(at), name) for at, name in named]
        self._events = _lanes.place(on_axis, low=low, high=high, width=_CHARACTER, most=lanes)

    def figure(self, *below: Markup | None) -> Markup:
        """The figure with title, legend, plot and what stands below it."""
        head = tag("figcaption", tag("span", self.title, class_="name"), self._legend_list())
        return tag(
            "figure",
            head,
            self._svg(),
            *below,
            class_="chart small" if self.size is SMALL else "chart",
            data_values=self._hover(),
        )

    @property
    def _inner_width(self) -> float:
        return self.size.width - self.size.left - self.size.right

    @property
    def _inner_height(self) -> float:
        return self.size.height - self.size.top - self.size.bottom

    def _across(self, value: float) -> float:
        return self.size.left + self.x.place(value) * self._inner_width

    def _down(self, value: float) -> float:
        return self.size.top + (1 - self.y.place(value)) * self._inner_height

    def _segment(self, run: Sequence[tuple[float, float]]) -> str:
        corners = [_pair(self._across(x), self._down(y)) for x, y in run]
        # A lone point would be a line of no length.
        return "M" + "L".join(corners) + ("h0.1" if len(corners) == 1 else "")

    def _corners(self, run: Sequence[tuple[float, float]], width: float) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for i, (x, y) in enumerate(run):
            end = run[i + 1][0] if i + 1 < len(run) else x + width
            corners += [(self._across(x), self._down(y)), (self._across(end), self._down(y))]
        return corners

    def _series(self, name: str, style: str, shape: Markup, points: Sequence[Point]) -> None:
        number = str(len(self._legend))
        self._front.append(tag("g", shape, data_series=number))
        self._legend.append((name, style))
        places = [round(self._across(x), 1) for x, _ in points]
        self._values.append({"name": name, "x": places, "y": [None if y is None else _short(y) for _, y in points]})

    def _svg(self) -> Markup:
        lanes = max((one.lane + 1 for one in self._events if one.text), default=0)
        lift = _LANE * lanes + (4 if lanes else 0)
        size = self.size
        box = f"0 {coordinate(-lift)} {coordinate(size.width)} {coordinate(size.height + lift)}"
        return tag(
            "svg",
            tag("title", self.title),
            tag("desc", self.about),
            *self._back,
            *self._grid(),
            *self._front,
            *self._marks(),
            self._axis_name(),
            viewBox=box,
            role="img",
        )

    def _grid(self) -> list[Markup]:
        size, floor = self.size, self.size.height - self.size.bottom
        parts = []
        for i, (value, label) in enumerate(self.y.ticks):
            y = self._down(value)
            parts.append(tag("path", d=f"M{_pair(size.left, y)}H{coordinate(size.width - size.right)}", class_="grid"))
            parts.append(tag("text", label, x=size.left - 7, y=y + 4, class_=f"y{' alternate' if i % 2 else ''}"))
        parts.append(tag("path", d=f"M{_pair(size.left, floor)}H{coordinate(size.width - size.right)}", class_="axis"))
        for i, (value, label) in enumerate(self.x.ticks):
            x = self._across(value)
            parts.append(tag("path", d=f"M{_pair(x, floor)}v4", class_="axis"))
            # The last label would leave the picture were it centred.
            end = x > size.width - size.right - 12
            names = f"x{' end' if end else ''}{' alternate' if i % 2 else ''}"
            parts.append(tag("text", label, x=size.width - 3 if end else x, y=floor + 18, class_=names))
        return parts

    def _marks(self) -> list[Markup]:
        floor, crowded = self.size.height - self.size.bottom, len(self._events) > _CROWD
        lines, names = [], []
        for one in self._events:
            top = self.size.top - (_LANE * one.lane + 5 if one.text else 5)
            # So many lines would hide what they are drawn over.
            end = self.size.top + 6 if crowded and not one.text else floor
            lines.append(tag("path", d=f"M{_pair(one.at, top)}V{coordinate(end)}", class_="event"))
            if one.text:
                names.append(tag("text", one.text, x=one.left, y=top - 3, class_="eventname"))
        return [*lines, *names]

    def _axis_name(self) -> Markup | None:
        if not self.x_name or self.size is SMALL:
            return None
        middle = self.size.left + self._inner_width / 2
        return tag("text", self.x_name, x=middle, y=self.size.height - 6, class_="x axisname")

    def _legend_list(self) -> Markup:
        items = (
            tag("li", tag("span", class_=f"swatch {style}"), name, data_series=str(i))
            for i, (name, style) in enumerate(self._legend)
        )
        return tag("ul", *items, class_="legend")

    def _hover(self) -> str:
        size, log = self.size, self.x.kind == "log"
        facts = {
            "unit": self.unit,
            "axis": self.axis,
            "log": log,
            "span": [self.x.low, self.x.high],
            "frame": [size.left, size.width - size.right, size.top, size.height - size.bottom],
            "series": self._shared(),
        }
        return json.dumps(facts, separators=(",", ":"))

    def _shared(self) -> list[dict[str, object]]:
        # Most series of a plot stand at the same places: those are written once.
        shared: list[dict[str, object]] = []
        for values in self._values:
            same = next((i for i, one in enumerate(self._values) if one["x"] == values["x"]), 0)
            shared.append(values if same == len(shared) else {**values, "x": same})
        return shared


def _once(moments: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    # Of many moments, those of one name are named at the first.
    times = Counter(name for _, name in moments)
    named: list[tuple[float, str]] = []
    for at, name in sorted(moments):
        again = times.pop(name, 0)
        named.append((at, f"{name} ({again}\N{MULTIPLICATION SIGN})" if again > 1 else name if again else ""))
    return named


def _runs(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _pair(x: float, y: float) -> str:
    return f"{coordinate(x)} {coordinate(y)}"


def _short(value: float) -> float:
    return float(f"{value:.4g}")
