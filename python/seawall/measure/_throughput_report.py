"""What a throughput meter found, as unchanging objects."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Rate(NamedTuple):
    """Requests and bytes per second; nan where no time has passed."""

    requests: float
    bytes: float

    @classmethod
    def over(cls, requests: int, bytes: int, ns: int) -> Rate:
        """So many in `ns` nanoseconds."""
        return cls(requests * 1e9 / ns, bytes * 1e9 / ns) if ns > 0 else cls(math.nan, math.nan)


class ThroughputWindow(NamedTuple):
    """What one whole window saw. Units: `start` in seconds since the meter was made."""

    start: float
    requests: int
    bytes: int


class Checkpoint(NamedTuple):
    """The totals at a named moment. Units: `at` in seconds since the meter was made."""

    name: str
    at: float
    requests: int
    bytes: int
    rate: Rate
    """Since the checkpoint before it, or since the meter was made."""


@dataclass(frozen=True, slots=True)
class ThroughputReport:
    """The figures of a `ThroughputMeter` at one moment. `str()` is a table to read.

    Units: seconds, and per second. A rate over no time is nan; None in JSON.
    """

    name: str
    elapsed: float
    requests: int
    bytes: int
    mean: Rate
    peak: Rate
    window: float
    series: tuple[ThroughputWindow, ...]
    checkpoints: tuple[Checkpoint, ...]

    def to_json(self) -> str:
        """The figures as a JSON object."""
        facts = asdict(self)
        facts |= {"mean": _plain(self.mean), "peak": _plain(self.peak)}
        facts["series"] = [window._asdict() for window in self.series]
        facts["checkpoints"] = [{**point._asdict(), "rate": _plain(point.rate)} for point in self.checkpoints]
        return json.dumps(facts, indent=2)

    def to_csv(self) -> str:
        """The series as CSV: start, requests and bytes of each whole window, oldest first."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(ThroughputWindow._fields)
        writer.writerows(self.series)
        return text.getvalue()

    def __str__(self) -> str:
        rows = [f"{self.name}: {self.requests} requests, {self.bytes} bytes in {self.elapsed:.3f} s"]
        rates = [("mean", self.mean), ("peak", self.peak), *((point.name, point.rate) for point in self.checkpoints)]
        width = max(len(label) for label, _ in rates)
        rows += [f"  {label:<{width}} {rate.requests:>14.1f} /s {rate.bytes:>16.1f} B/s" for label, rate in rates]
        return "\n".join(rows)


def _plain(rate: Rate) -> dict[str, Any]:
    return {key: None if math.isnan(value) else value for key, value in rate._asdict().items()}
