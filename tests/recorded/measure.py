"""False alarms and delays of detectors on recorded data: `python -m tests.recorded.measure` rewrites the tables.

Defaults were chosen on the first half of the recording; everything here is measured on the second half.
"""

from __future__ import annotations

import csv
import re
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from seawall.monitor.anomaly import Bounds, Cusum, Deseasoned, Detector, Ewma, PageHinkley, RobustZ, Seasonal, Vote

HERE = Path(__file__)
PAGE = HERE.parents[2] / "docs" / "how-to" / "anomaly.md"
STEP, PERIOD = 0.5, 30.0
BEFORE, AFTER, PLANTED = 300, 60, 24
SERIES = {
    "card_p95": 2.0, "card_rate": 0.5, "points_p50": 2.0, "points_rate": 0.5, "loop_lag": 2.0, "cpu": 0.5
}  # fmt: skip
"""What is looked at, and by what it is multiplied when trouble is planted."""

Make = Callable[[Sequence[float], float], Detector]


def seasonal() -> Seasonal:
    """One that knows the rhythm of the recording."""
    return Seasonal(period=PERIOD, slots=20, warm_up=6)


def bounds(known: Sequence[float], factor: float) -> Bounds:
    """Halfway, in ratio, to the trouble: a person's choice who has seen the first values."""
    limit = statistics.median(known) * (1.6 if factor > 1 else 0.625)
    return Bounds(high=limit) if factor > 1 else Bounds(low=limit)


DETECTORS: dict[str, Make] = {
    "Bounds, well chosen": bounds,
    "RobustZ": lambda _known, _factor: RobustZ(),
    "Ewma": lambda _known, _factor: Ewma(),
    "Cusum": lambda _known, _factor: Cusum(),
    "PageHinkley": lambda _known, _factor: PageHinkley(),
    "Seasonal": lambda _known, _factor: seasonal(),
    "Deseasoned, then Cusum": lambda _known, _factor: Deseasoned(seasonal(), Cusum()),
    "Vote, 2 of Ewma, Cusum, Seasonal": lambda _known, _factor: Vote(
        {"ewma": Ewma(), "cusum": Cusum(), "seasonal": seasonal()}
    ),
}


class Measured(NamedTuple):
    """What a detector does on a series: alarms in a thousand clean values, the share of troubles found, the delay."""

    false: float
    found: float
    delay: float | None

    def __str__(self) -> str:
        delay = f", {self.delay:g}" if self.delay is not None else ""
        return f"{self.false:.1f} · {self.found:.0%}{delay}"


def recorded(half: int = 1) -> dict[str, list[float]]:
    """The series of a half of the recording."""
    with HERE.with_name("service.csv").open() as file:
        rows = list(csv.DictReader(file))
    middle = len(rows) // 2
    rows = rows[middle:] if half else rows[:middle]
    return {name: [float(row[name]) for row in rows] for name in SERIES}


def alarms(detector: Detector, values: Sequence[float]) -> list[int]:
    """Where anomalies begin: an anomalous value with none among the five before it."""
    found, last = [], -10
    for i, value in enumerate(values):
        if detector.update(value, i * STEP).anomalous:
            if i - last > 5:
                found.append(i)
            last = i
    return found


def measure(make: Make, values: Sequence[float], factor: float) -> Measured:
    """Clean values once, and trouble planted at places spread evenly."""
    clean = alarms(make(values[:BEFORE], factor), values)
    delays: list[int] = []
    last = len(values) - AFTER
    places = [BEFORE + (last - BEFORE) * i // (PLANTED - 1) for i in range(PLANTED)]
    for place in places:
        detector = make(values[:BEFORE], factor)
        for i in range(place - BEFORE, place):
            detector.update(values[i], i * STEP)
        for i in range(place, place + AFTER):
            if detector.update(values[i] * factor, i * STEP).anomalous:
                delays.append(i - place + 1)
                break
    delay = statistics.median(delays) if delays else None
    return Measured(1000 * len(clean) / len(values), len(delays) / PLANTED, delay)


def table(detectors: dict[str, Make], half: int = 1) -> str:
    """A row for each detector, a column for each series."""
    series = recorded(half)
    lines = ["| detector | " + " | ".join(SERIES) + " |", "|---" * (len(SERIES) + 1) + "|"]
    for name, make in detectors.items():
        cells = [str(measure(make, series[column], factor)) for column, factor in SERIES.items()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def of_river() -> dict[str, Make]:
    """Models of river, where it is installed."""
    try:
        from river import anomaly, drift, preprocessing
    except ImportError:
        return {}
    from seawall.monitor.anomaly import River

    return {
        "river GaussianScorer, 0.999": lambda _known, _factor: River(
            anomaly.GaussianScorer(window_size=120), threshold=0.999
        ),
        "river HalfSpaceTrees, 0.97": lambda _known, _factor: River(
            preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=10, window_size=100, seed=1),
            threshold=0.97,
            warm_up=100,
        ),
        "river ADWIN, delta 0.0001": lambda _known, _factor: River(drift.ADWIN(delta=0.0001), warm_up=0),
    }


def rewritten(page: str, name: str, text: str) -> str:
    """The page with the table that follows a marker replaced."""
    pattern = re.compile(rf"(<!-- measured: {name} -->\n)((?:\|.*\n)*)")
    assert pattern.search(page), name
    return pattern.sub(lambda match: match[1] + text, page)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(table({**DETECTORS, **of_river()}, half=int(sys.argv[1])))
        sys.exit(0)
    page = rewritten(PAGE.read_text(), "ours", table(DETECTORS))
    river = of_river()
    PAGE.write_text(rewritten(page, "river", table(river)) if river else page)
