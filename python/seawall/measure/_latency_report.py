"""What a latency analyzer found, as one unchanging object."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, dataclass

from seawall.measure._histogram import Histogram

LEVELS = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
"""The percentiles every report has."""


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """The figures of a `LatencyAnalyzer` at one moment. `str()` is a table to read.

    Units: seconds. Where nothing was recorded every figure but the counts is nan; None in JSON, empty in CSV.
    """

    name: str
    count: int
    errors: int
    clipped: int
    mean: float
    stddev: float
    min: float
    p50: float
    p75: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, name: str, histogram: Histogram, errors: int) -> LatencyReport:
        """The figures of a histogram that nobody records into any more."""
        p50, p75, p90, p95, p99, p999 = histogram.percentiles(LEVELS)
        return cls(
            name=name,
            count=histogram.count,
            errors=errors,
            clipped=histogram.clipped,
            mean=histogram.mean,
            stddev=histogram.stddev,
            min=histogram.min,
            p50=p50,
            p75=p75,
            p90=p90,
            p95=p95,
            p99=p99,
            p999=p999,
            max=histogram.max,
        )

    def to_json(self) -> str:
        """The figures as a JSON object."""
        return json.dumps({key: _or_none(value) for key, value in asdict(self).items()}, indent=2)

    def to_csv(self) -> str:
        """A line of names and a line of figures."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        facts = asdict(self)
        writer.writerow(facts)
        writer.writerow(_or_none(value) for value in facts.values())
        return text.getvalue()

    def __str__(self) -> str:
        clipped = f", {self.clipped} clipped" if self.clipped else ""
        rows = [f"{self.name}: {self.count} recorded, {self.errors} errors{clipped}"]
        shown = {"min": self.min, "mean": self.mean, "stddev": self.stddev, "P50": self.p50, "P75": self.p75}
        shown |= {"P90": self.p90, "P95": self.p95, "P99": self.p99, "P99.9": self.p999, "max": self.max}
        rows += [f"  {label:<6} {_readable(value):>12}" for label, value in shown.items()]
        return "\n".join(rows)


def _or_none(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _readable(seconds: float) -> str:
    if math.isnan(seconds):
        return "-"
    for least, scale, unit in ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "us")):
        if seconds >= least:
            return f"{seconds * scale:.3f} {unit}"
    return f"{seconds * 1e9:.0f} ns"
