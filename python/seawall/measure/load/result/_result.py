"""What a load test found out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, write_hlog
from seawall.measure.load.result._outcomes import UNREACHED
from seawall.measure.load.result._parts import Generator, Note, Part

if TYPE_CHECKING:
    from seawall.measure.load._thresholds import ThresholdOutcome


@dataclass(frozen=True, slots=True)
class Throughput:
    """Counts per slice of the run. All tuples are equally long.

    The first slice begins with the run, its warm-up included.

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

    Saved: `to_json` and `from_json`, in the format of docs/reference/load-result.schema.json.

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
        # The slices hold the warm-up too, the scenarios do not.
        return sum(part.succeeded for part in self.scenarios) if self.scenarios else sum(self.throughput.succeeded)

    @property
    def passed(self) -> bool:
        """Whether every threshold was kept; true when there was none."""
        return all(outcome.passed for outcome in self.thresholds)

    def to_json(self) -> str:
        """The result as a JSON object: all that `from_json` and a report need. Times in seconds.

        Histograms and `blocks` are HdrHistogram lines. The format is docs/reference/load-result.schema.json.
        """
        from seawall.measure.load.result._json import write

        return write(self)

    @classmethod
    def from_json(cls, source: str | os.PathLike[str]) -> LoadResult:
        """Read what `to_json` wrote: the text itself, or a file of it.

        Guarantees: `LoadResult.from_json(result.to_json()).to_json() == result.to_json()`. Of a file written before
        histograms were kept, percentiles are those that were written and nothing lies between them.

        Raises:
            ConfigError: The file cannot be read, or is not of a load test.
        """
        from seawall.measure.load.result._read import read

        return read(source)

    def to_hlog(self) -> str:
        """Response times block by block (tag `response_time`), then whole service times and schedule errors.

        Each interval holds the requests that were due in it; published tools plot an `.hlog` by tag.
        """
        whole = (("service_time", self.service_time), ("schedule_error", self.schedule_error))
        blocks = [block._replace(tag="response_time") for block in self.blocks]
        if not blocks:
            blocks = [HlogInterval(0.0, self.duration, "response_time", self.response_time)]
        return write_hlog([*blocks, *(HlogInterval(0.0, self.duration, tag, times) for tag, times in whole)])

    def to_html(self, path: str | os.PathLike[str] | None = None, *, title: str = "") -> str:
        """One self-contained page with plots and tables; `seawall.measure.report` puts several runs into one.

        Args:
            path: Also write it there.
            title: What it says on top; the target by default.
        """
        from seawall.measure.report import report

        page = report([("", self)], title=title)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def to_markdown(self, *, title: str = "") -> str:
        """A short summary for a pull request, in GitHub's Markdown."""
        from seawall.measure.report import markdown

        return markdown(self, title=title)


def none_reached(outcomes: Mapping[str, int]) -> bool:
    """Whether requests ended but not one of them reached the target."""
    return bool(outcomes) and all(kind in UNREACHED for kind in outcomes)
