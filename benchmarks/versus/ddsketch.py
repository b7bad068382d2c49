"""ddsketch: relative error of a thousandth, as three digits have."""

from __future__ import annotations

from ddsketch import DDSketch

from benchmarks._case import Probe, is_none, near
from benchmarks.versus._kinds import P99, VALUES, Makers


def _filled(values: list[float]) -> DDSketch:
    sketch = DDSketch(relative_accuracy=0.001)
    for value in values:
        sketch.add(value)
    return sketch


def _record() -> Probe:
    sketch = _filled([])
    return Probe("sketch.add(x)", {"sketch": sketch}, is_none, lambda: int(sketch.count), over=VALUES[:4_096])


def _record_many() -> Probe:
    sketch, values = _filled([]), VALUES[:10_000]

    def add_all() -> None:
        for value in values:
            sketch.add(value)

    return Probe(
        "add_all()", {"add_all": add_all}, is_none, lambda: int(sketch.count), step=len(values), per=len(values)
    )


def _percentile() -> Probe:
    return Probe("sketch.get_quantile_value(0.99)", {"sketch": _filled(VALUES)}, near(P99, 3e-3))


def record() -> Makers:
    """Record one value."""
    return {"add": _record}


def record_many() -> Makers:
    """Record an array of values."""
    return {"add each": _record_many}


def percentile() -> Makers:
    """Ask for one percentile."""
    return {"get_quantile_value": _percentile}
