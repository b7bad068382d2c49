"""The counts of a run while it runs."""

from __future__ import annotations

import itertools
from collections import Counter

from seawall.measure._histogram import Histogram
from seawall.measure.load._blocks import Blocks
from seawall.measure.load._lost import SoFar
from seawall.measure.load._outcomes import UNREACHED, Answer
from seawall.measure.load._plans import Plan
from seawall.measure.load._result import LoadResult, Throughput, judge

_GIVE_UP_AFTER = 20


class Tally:
    """Adds up what happens to each request. Times are in seconds from the start of the run. For one event loop.

    Args:
        interval: Length of a slice of the timeline, in seconds.
        longest: The longest time a histogram has to hold, in seconds.
        duration: Length of the plan, in seconds.
    """

    def __init__(self, *, interval: float, longest: float, duration: float) -> None:
        self.response_time = Histogram(highest=max(longest, 1.0))
        self.service_time = Histogram(highest=max(longest, 1.0))
        self.schedule_error = Histogram(highest=max(longest, 1.0))
        self._blocks = Blocks(duration=duration, longest=max(longest, 1.0))
        self.outcomes: Counter[str] = Counter()
        self.sent = self.completed = self.succeeded = self.late = 0
        self.first_error: str | None = None
        self._reached = False
        self._interval = interval
        self._slices: list[list[int]] = []

    @property
    def hopeless(self) -> bool:
        """Whether so many requests ended without reaching the target that more would tell nothing new."""
        return not self._reached and self.completed >= _GIVE_UP_AFTER

    @property
    def so_far(self) -> SoFar:
        """What can only grow."""
        slowest = self.response_time.max if self.completed else 0.0
        return SoFar(self.completed - self.succeeded, self.late, slowest)

    def start(self, due: float, started: float, *, late: bool) -> None:
        """A request was sent."""
        self.sent += 1
        self.late += late
        self._slice(started)[0] += 1
        if not late:
            self.schedule_error.record(max(started - due, 0.0))

    def end(self, due: float, started: float, ended: float, answer: Answer) -> None:
        """A request ended, well or not: failures take part in the times, a timeout is a long time."""
        self.completed += 1
        self.outcomes[answer.kind] += 1
        response_time = max(ended - due, 0.0)
        self.response_time.record(response_time)
        self._blocks.record(due, response_time)
        self.service_time.record(max(ended - started, 0.0))
        self._reached = self._reached or answer.kind not in UNREACHED
        self.succeeded += answer.succeeded
        if self.first_error is None:
            self.first_error = answer.error
        counts = self._slice(ended)
        counts[1] += 1
        counts[2] += answer.succeeded
        counts[3] += answer.size

    def result(self, plan: Plan, *, due: int, duration: float, interrupted: bool, seed: int | None) -> LoadResult:
        """Freeze the counts."""
        dropped = due - self.sent
        return LoadResult(
            response_time=self.response_time,
            service_time=self.service_time,
            schedule_error=self.schedule_error,
            throughput=self.throughput(plan),
            outcomes=dict(self.outcomes.most_common()),
            planned=due,
            sent=self.sent,
            completed=self.completed,
            late=self.late,
            dropped=dropped,
            first_error=self.first_error,
            verdict=judge(
                response_time=self.response_time,
                schedule_error=self.schedule_error,
                outcomes=self.outcomes,
                sent=self.sent,
                late=self.late,
                dropped=0 if interrupted else dropped,
            ),
            duration=duration,
            interrupted=interrupted,
            seed=seed,
            blocks=self._blocks.intervals(),
        )

    def throughput(self, plan: Plan) -> Throughput:
        """The counts over time so far."""
        edges = [plan.planned(i * self._interval) for i in range(len(self._slices) + 1)]
        sent, completed, succeeded, size = zip(*self._slices, strict=True) if self._slices else ((), (), (), ())
        return Throughput(
            interval=self._interval,
            planned=tuple(after - before for before, after in itertools.pairwise(edges)),
            sent=sent,
            completed=completed,
            succeeded=succeeded,
            bytes=size,
        )

    def _slice(self, at: float) -> list[int]:
        i = int(at / self._interval)
        while len(self._slices) <= i:
            self._slices.append([0, 0, 0, 0])
        return self._slices[i]
