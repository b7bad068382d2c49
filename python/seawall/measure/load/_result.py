"""What a load test found out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, write_hlog
from seawall.measure.load._outcomes import UNREACHED
from seawall.measure.load._parts import Generator, Note, Part

if TYPE_CHECKING:
    from seawall.measure.load._thresholds import ThresholdOutcome

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Counts per slice of the run. All tuples are equally long.

    Units: `interval` and `slowest` in seconds; `planned` in expected requests by due time; `sent` and `late` by actual
    start; `completed`, `succeeded`, `bytes` and `slowest` (the longest response time) by the end of the response.
    """

    interval: float
    planned: tuple[float, ...]
    sent: tuple[int, ...]
    completed: tuple[int, ...]
    succeeded: tuple[int, ...]
    bytes: tuple[int, ...]
    late: tuple[int, ...] = ()
    slowest: tuple[float, ...] = ()

    def per_second(self, counts: tuple[int, ...] | tuple[float, ...]) -> list[float]:
        """One of the tuples as a rate."""
        return [count / self.interval for count in counts]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the numbers speak of the target (valid); if not, what they speak of, with the reasons."""

    valid: bool
    reasons: tuple[str, ...] = ()
    cause: str = "the generator was the bottleneck"

    def __str__(self) -> str:
        return "valid" if self.valid else f"{self.cause}: " + "; ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load test found out.

    Guarantees: `planned == sent + dropped`; `sent == completed` unless the run was interrupted, when the difference
    was under way and cut off.

    Units: histograms in seconds, `duration` in seconds from the first due moment to the last answer.

    Args:
        response_time: From the moment a request was due to the end of its answer, waiting for a place included.
        service_time: From the moment it was really sent to the end of its answer.
        schedule_error: The generator's own delay: from due to sent, where no bound held the request back.
        throughput: Counts over time.
        outcomes: Number of requests by kind of end: `2xx`, `status 503`, `timeout`, `connection refused`, ...
        planned: Requests that were due; after an interruption those due until then.
        sent: Requests that were started.
        completed: Requests that ended, well or not.
        late: Requests that were held back because `max_concurrency` was reached; they are part of `sent`.
        dropped: Requests that were due but never started before the run and its grace were over.
        first_error: The words of the first error that was not an HTTP status.
        verdict: Whether the generator kept up.
        duration: How long the run took.
        interrupted: Whether it was stopped before its plan was done.
        seed: What repeats the same poisson arrivals; None for uniform ones.
        blocks: Response times by equal parts of the plan in which requests were due, at most 64.
        thresholds: What became of the test's thresholds, in their order.
        aborted: The threshold that could no longer be kept, where that ended the run; `interrupted` is true then.
        target: What was called, in a few words.
        pattern: The shape of load, in a few words.
        model: `open`: requests start when the pattern says; `closed`: when the one before was answered.
        began: When the run began, for people: ISO 8601 in UTC.
        warmup: Seconds before the plan whose requests count in no total but their own phase's.
        scenarios: One part a scenario; a test of one target has one.
        phases: One part a phase, the warm-up first; empty where none was named.
        notes: Checkpoints and events, in order of time.
        generator: How the generator fared.
        errors: Words of the first error of each kind, at most 64 kinds.
        plan: What makes the same arrivals again; None where that cannot be said.
    """

    response_time: Histogram
    service_time: Histogram
    schedule_error: Histogram
    throughput: Throughput
    outcomes: Mapping[str, int]
    planned: int
    sent: int
    completed: int
    late: int
    dropped: int
    first_error: str | None
    verdict: Verdict
    duration: float
    interrupted: bool
    seed: int | None = None
    blocks: tuple[HlogInterval, ...] = ()
    thresholds: tuple[ThresholdOutcome, ...] = ()
    aborted: str | None = None
    target: str = ""
    pattern: str = ""
    model: Literal["open", "closed"] = "open"
    began: str = ""
    warmup: float = 0.0
    scenarios: tuple[Part, ...] = ()
    phases: tuple[Part, ...] = ()
    notes: tuple[Note, ...] = ()
    generator: Generator | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, Any] | None = None

    @property
    def unreachable(self) -> bool:
        """Whether requests ended but not one of them reached the target."""
        return none_reached(self.outcomes)

    @property
    def succeeded(self) -> int:
        """Requests that ended well: answered with a status below 400 or one that was asked for, or returned."""
        return sum(self.throughput.succeeded) - sum(part.succeeded for part in self.phases if not part.counted)

    @property
    def passed(self) -> bool:
        """Whether every threshold was kept; true when there was none."""
        return all(outcome.passed for outcome in self.thresholds)

    def to_json(self) -> str:
        """The result as a JSON object; times in seconds, `blocks` as the lines of an HdrHistogram log."""
        return json.dumps(self._facts(), indent=2)

    def _facts(self) -> dict[str, Any]:
        words = ("target", "pattern", "model", "began", "warmup")
        counts = ("planned", "sent", "completed", "succeeded", "late", "dropped", "interrupted", "duration", "seed")
        series = ("interval", "planned", "sent", "completed", "succeeded", "bytes", "late", "slowest")
        times = ("response_time", "service_time", "schedule_error")
        return {
            "schema": 1,
            **{name: getattr(self, name) for name in (*words, *counts)},
            "outcomes": dict(self.outcomes),
            "first_error": self.first_error,
            "errors": dict(self.errors),
            "verdict": {
                "valid": self.verdict.valid,
                "cause": None if self.verdict.valid else self.verdict.cause,
                "reasons": list(self.verdict.reasons),
            },
            **{name: summary(getattr(self, name)) for name in times},
            "throughput": {name: getattr(self.throughput, name) for name in series},
            "thresholds": [
                {"text": one.text, "measured": one.measured, "passed": one.passed} for one in self.thresholds
            ],
            "aborted": self.aborted,
            "scenarios": [_part_facts(part) for part in self.scenarios],
            "phases": [_part_facts(part) for part in self.phases],
            "notes": [note.facts() for note in self.notes],
            "generator": None if self.generator is None else _generator_facts(self.generator),
            "plan": self.plan,
            "blocks": write_hlog(self.blocks).splitlines(),
        }


def _part_facts(part: Part) -> dict[str, Any]:
    counts = ("planned", "sent", "completed", "succeeded", "late", "dropped", "bytes")
    return {
        **{name: getattr(part, name) for name in ("name", "engine", "start", "duration", "counted", "ended", *counts)},
        "outcomes": dict(part.outcomes),
        "response_time": summary(part.response_time),
        "service_time": summary(part.service_time),
    }


def _generator_facts(generator: Generator) -> dict[str, Any]:
    plain = ("cpu", "waited", "processes", "lost")
    return {**{name: getattr(generator, name) for name in plain}, "lag": summary(generator.lag)}


def none_reached(outcomes: Mapping[str, int]) -> bool:
    """Whether requests ended but not one of them reached the target."""
    return bool(outcomes) and all(kind in UNREACHED for kind in outcomes)


def summary(times: Histogram) -> dict[str, float]:
    """Count, percentiles and extremes of a histogram, in seconds; only the count when it is empty."""
    if not times.count:
        return {"count": 0}
    values = zip(PERCENTILES, times.percentiles(list(PERCENTILES)), strict=True)
    percentiles = {f"p{p:g}": float(value) for p, value in values}
    return {"count": times.count, **percentiles, "min": times.min, "max": times.max, "mean": times.mean}
