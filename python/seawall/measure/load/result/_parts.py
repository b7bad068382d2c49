"""Parts of a load test: its scenarios, its phases, what was noted while it ran, and the generator's own health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from seawall.measure._histogram import Histogram


@dataclass(frozen=True, slots=True)
class Part:
    """What a load test found out about one scenario, or about one phase.

    Guarantees: `planned == sent + dropped`.

    Units: histograms in seconds; `start` and `duration` in seconds of the run.

    Args:
        name: Of the scenario or the phase.
        engine: What sent the requests of a scenario, such as `HTTP/1.1 in C++`; empty for a phase.
        start: When it began.
        duration: How long it took; a phase ends when the next one begins, whenever the last answers came.
        response_time: From due to answered.
        service_time: From sent to answered.
        outcomes: Number of requests by kind of end.
        planned: Requests that were due.
        sent: Requests that were started.
        completed: Requests that ended.
        succeeded: Requests that ended well.
        late: Requests that waited for a place.
        bytes: Of the bodies that arrived.
        counted: Whether the part is in the totals of the run; a warm-up is not.
        ended: Why a scenario ended on its own before its plan was done; empty where it did not.
    """

    name: str
    engine: str
    start: float
    duration: float
    response_time: Histogram
    service_time: Histogram
    outcomes: Mapping[str, int]
    planned: int
    sent: int
    completed: int
    succeeded: int
    late: int
    bytes: int
    counted: bool = True
    ended: str = ""

    @property
    def dropped(self) -> int:
        """Requests that were due but never started."""
        return self.planned - self.sent


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened during a load test, with the totals at that moment.

    Units: `at` in seconds from the start of the run, its warm-up included.

    Args:
        at: When.
        name: What, in a word or two; the same for the same kind of thing.
        kind: `checkpoint` for a moment that was named, `event` for what a guard or chaos reported.
        text: More about it.
        sent: Requests started until then.
        completed: Requests ended until then.
        succeeded: Requests ended well until then.
        bytes: Of the bodies that had arrived until then.
    """

    at: float
    name: str
    kind: Literal["checkpoint", "event"] = "checkpoint"
    text: str = ""
    sent: int = 0
    completed: int = 0
    succeeded: int = 0
    bytes: int = 0

    def facts(self) -> dict[str, Any]:
        """As it stands in JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Generator:
    """How the machine that made the load fared.

    Units: seconds; shares of one processor, so 1.5 is one and a half.

    Args:
        cpu: Share of a processor that the generator's busiest thread or process used, in the mean over the run.
        waited: Share of the run that it was ready and had no processor.
        lag: How long its loop was away between two looks at the clock, as a histogram; empty where it has no loop.
        processes: In how many processes it ran.
        lost: Processes that died before the end.
    """

    cpu: float
    waited: float
    lag: Histogram
    processes: int = 1
    lost: int = 0
