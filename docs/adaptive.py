"""Draws docs/how-to/adaptive-*.svg from the simulation of the tests: `python docs/adaptive.py`, some seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.simulation.plants import PLANTS, Plant  # noqa: E402
from tests.simulation.rivals import EnvoyGradient, FrozenVegas, Gradient2, Rival  # noqa: E402
from tests.simulation.run import Run, run, run_adaptive  # noqa: E402
from tests.simulation.test_plants import OVERLOAD, ROOM, SLOW_FOR_GOOD  # noqa: E402

from seawall.clock import ManualClock  # noqa: E402

HERE = ROOT / "docs" / "how-to"
LIMIT, FLIGHT, TIME, THEIRS, TEXT, GRID = "#0b7285", "#a5d8dd", "#c2255c", "#868e96", "#212529", "#dee2e6"
WIDTH, LANE, GAP, LEFT, COLUMN = 400, 90, 24, 46, 480
Series = tuple[str, Sequence[tuple[float, float]], str]


@dataclass(frozen=True)
class Lane:
    """One plot over time: lines, and areas below lines."""

    what: str
    lines: Sequence[Series]
    areas: Sequence[Series] = ()
    marks: Iterable[float] = ()
    top: float | None = None  # what is above is cut off

    def draw(self, x: float, y: float, seconds: float) -> list[str]:
        """Grid, curves and axis, with the top left corner at x, y."""
        highest = max(value for _, points, _ in (*self.lines, *self.areas) for _, value in points)
        top = self.top or _round_up(highest)

        def at(point: tuple[float, float]) -> str:
            return f"{x + point[0] / seconds * WIDTH:.1f},{y + LANE * (1 - min(point[1], top) / top):.1f}"

        parts = [_text(x - 6, y + 9, f"{top:g}", "end"), _text(x - 6, y + LANE, "0", "end"), _text(x, y - 5, self.what)]
        parts += [f'<path d="M{x},{y}h{WIDTH}M{x},{y + LANE}h{WIDTH}" stroke="{GRID}"/>']
        for mark in self.marks:
            parts.append(
                f'<path d="M{x + mark / seconds * WIDTH:.1f},{y}v{LANE}" stroke="{THEIRS}" stroke-dasharray="3"/>'
            )
        for _, points, colour in self.areas:
            ends = (points[0][0], 0.0), (points[-1][0], 0.0)
            parts.append(f'<polygon points="{" ".join(map(at, (ends[0], *points, ends[1])))}" fill="{colour}"/>')
        for _, points, colour in self.lines:
            parts.append(
                f'<polyline points="{" ".join(map(at, points))}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
            )
        return parts


@dataclass(frozen=True)
class Panel:
    """A title over lanes that share their time."""

    title: str
    seconds: float
    lanes: Sequence[Lane]

    @property
    def height(self) -> int:
        """In pixels."""
        return 46 + len(self.lanes) * (LANE + GAP) + 18

    def draw(self, x: float, y: float) -> list[str]:
        """With the top left corner at x, y."""
        parts = [f'<text x="{x}" y="{y + 16}" font-size="13" font-weight="bold">{escape(self.title)}</text>']
        at = x
        for name, _, colour in dict.fromkeys(
            (s[0], 0, s[2]) for lane in self.lanes for s in (*lane.lines, *lane.areas)
        ):
            parts += [
                f'<rect x="{at}" y="{y + 23}" width="9" height="9" fill="{colour}"/>',
                _text(at + 13, y + 32, name),
            ]
            at += 26 + 6.2 * len(name)
        for number, lane in enumerate(self.lanes):
            parts += lane.draw(x, y + 52 + number * (LANE + GAP), self.seconds)
        bottom = y + 52 + len(self.lanes) * (LANE + GAP) - GAP + 16
        return [*parts, _text(x, bottom, "0 s"), _text(x + WIDTH, bottom, f"{self.seconds:g} s", "end")]


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _round_up(value: float) -> float:
    for step in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500):
        if value <= step:
            return step
    return value


def document(panels: Sequence[Panel]) -> str:
    """Panels in two columns."""
    parts, y = [], 8.0
    for first in range(0, len(panels), 2):
        row = panels[first : first + 2]
        for column, panel in enumerate(row):
            parts += panel.draw(LEFT + column * COLUMN, y)
        y += max(panel.height for panel in row) + 18
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * COLUMN}" height="{y:g}" font-family="sans-serif"'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([f'{head} font-size="11" fill="{TEXT}">', ground, *parts, "</svg>\n"])


def curve(played: Run, column: int) -> list[tuple[float, float]]:
    """One column of a run's points."""
    return [(point[0], point[column]) for point in played.points]


def plant(name: str) -> Panel:
    """Limit, calls in flight and latency of an adaptive limit before a plant."""
    one = PLANTS[name]
    played, _ = run_adaptive(one)
    limit = Lane(
        "calls in flight", [("limit", curve(played, 1), LIMIT)], [("in flight", curve(played, 2), FLIGHT)], one.changes
    )
    latency = Lane("seconds", [("mean latency", curve(played, 3), TIME)], marks=one.changes)
    return Panel(name, one.seconds, [limit, latency])


def plants() -> str:
    """The four plants that the page shows."""
    names = ("queueing server", "slow-down and recovery", "low traffic", "bimodal latency")
    return document([plant(name) for name in names])


@dataclass(frozen=True)
class Fault:
    """A plant that brings out a fault of another's limit: theirs and ours."""

    title: str
    rival: type[Rival]
    them: str
    plant: Plant

    def panel(self, column: int, what: str, top: float) -> Panel:
        """One column of the points of both runs."""
        clock = ManualClock()
        theirs = run(self.plant, self.rival(clock), clock=clock)
        ours, _ = run_adaptive(self.plant)
        lines = [(self.them, curve(theirs, column), THEIRS), ("seawall", curve(ours, column), LIMIT)]
        return Panel(self.title, self.plant.seconds, [Lane(what, lines, marks=self.plant.changes, top=top)])


def faults() -> str:
    """Known faults, and the same plants behind ours."""
    overload = Fault("8 workers, a tenth too much load for two minutes", Gradient2, "Gradient2", OVERLOAD)
    slow = Fault("32 workers, four times slower from 10 s on", FrozenVegas, "Vegas, frozen minimum", SLOW_FOR_GOOD)
    room = Fault("8 workers, half of the load they can take", EnvoyGradient, "Envoy's gradient", ROOM)
    return document(
        [
            overload.panel(1, "limit", 200),
            overload.panel(3, "mean latency, seconds", 0.5),
            slow.panel(1, "limit", 100),
            room.panel(1, "limit", 50),
        ]
    )


PICTURES: dict[str, Callable[[], str]] = {"adaptive-plants.svg": plants, "adaptive-faults.svg": faults}

if __name__ == "__main__":
    for file, draw in PICTURES.items():
        (HERE / file).write_text(draw())
