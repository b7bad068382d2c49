"""What happens to each request of one scenario, added up by the kernel and read back in words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seawall._core.tally import Tally, bytes_for
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval
from seawall.measure.load._course import Course
from seawall.measure.load.result._outcomes import UNREACHED, Answer, kind_of
from seawall.measure.load.result._result import Throughput

_GIVE_UP_AFTER = 20
_SCHEDULE_ERROR, _LAG, _FIRST_PHASE = 0, 1, 2
Words = npt.NDArray[np.uint64]


class Totals(NamedTuple):
    """Counts of requests; `slowest` in seconds."""

    sent: int
    completed: int
    succeeded: int
    late: int
    bytes: int
    slowest: float

    @classmethod
    def of(cls, all_of_them: list[Totals]) -> Totals:
        """Several added up."""
        if not all_of_them:
            return cls(0, 0, 0, 0, 0, 0.0)
        sent, completed, succeeded, late, size, slowest = zip(*all_of_them, strict=True)
        return cls(sum(sent), sum(completed), sum(succeeded), sum(late), sum(size), max(slowest))


class Record:
    """The counts of one scenario while it runs. Times are in seconds from the start of the run.

    Thread safety: any thread, and any process that shares `memory`.

    Args:
        course: How the run is laid out.
        memory: Where the counts are, for processes that share them; their own memory by default.
    """

    def __init__(self, course: Course, memory: object = None) -> None:
        self.course = course
        self.tally = Tally(*course.tally_shape(), memory)
        self._codes: dict[str, int] = {}

    @staticmethod
    def bytes_for(course: Course) -> int:
        """How much memory the counts take; only what is counted in is really used."""
        return bytes_for(*course.tally_shape())

    def end(self, due: float, started: float, ended: float, answer: Answer) -> None:
        """A request ended, well or not: failures take part in the times, a timeout is a long time."""
        self.tally.end(due, started, ended, self._code(answer), answer.size, answer.succeeded)

    def totals(self, phase: int | None = None) -> Totals:
        """The counts of one phase, or of all that count."""
        if phase is not None:
            return Totals(*self.tally.totals(phase))
        return Totals.of([Totals(*self.tally.totals(i)) for i in self.counted()])

    def outcomes(self, phase: int | None = None) -> Counter[str]:
        """The kinds of end of one phase, or of all that count."""
        names = {code: name for code, (name, _) in self.tally.entries().items()}
        found: Counter[str] = Counter()
        for i in self.counted() if phase is None else [phase]:
            for code, count in self.tally.codes(i).items():
                found[kind_of(code, names)] += count
        return found

    def errors(self) -> dict[str, str]:
        """The first words of each kind of error."""
        return {kind_of(code, {code: name}): words for code, (name, words) in self.tally.entries().items() if words}

    @property
    def hopeless(self) -> bool:
        """Whether so many requests ended without reaching the target that more would tell nothing new."""
        ended = sum(Totals(*self.tally.totals(i)).completed for i in range(len(self.course.phases)))
        return ended >= _GIVE_UP_AFTER and not self.reached

    @property
    def reached(self) -> bool:
        """Whether any request reached the target."""
        return any(kind not in UNREACHED for i in range(len(self.course.phases)) for kind in self.outcomes(i))

    def counted(self) -> list[int]:
        """The numbers of the phases that count in the totals."""
        return [i for i, phase in enumerate(self.course.phases) if phase.counted]

    def schedule_error(self) -> Histogram:
        """The generator's own delay."""
        return self._histogram(_SCHEDULE_ERROR)

    def lag(self) -> Histogram:
        """How long the generator's loop was away."""
        return self._histogram(_LAG)

    def response_time(self, phase: int | None = None) -> Histogram:
        """From due to answered, in one phase or in all that count."""
        return self._histogram(*(_FIRST_PHASE + 2 * i for i in (self.counted() if phase is None else [phase])))

    def service_time(self, phase: int | None = None) -> Histogram:
        """From sent to answered, in one phase or in all that count."""
        return self._histogram(*(_FIRST_PHASE + 2 * i + 1 for i in (self.counted() if phase is None else [phase])))

    def block(self, i: int) -> Histogram:
        """Response times of what was due in one block of the plan."""
        return self._histogram(_FIRST_PHASE + 2 * len(self.course.phases) + i)

    def slices(self, until: float) -> Words:
        """Counts over time up to a moment: (n, 6) uint64 of sent, completed, succeeded, late, bytes, slowest in ns."""
        number = int(until / self.course.interval) + 1
        return np.frombuffer(self.tally.slices(number), dtype=np.uint64).reshape(-1, 8)[:, :6]

    def _histogram(self, *numbers: int) -> Histogram:
        made = Histogram(highest=self.course.longest)
        for number in numbers:
            self.tally.add_to(number, made)
        return made

    def _code(self, answer: Answer) -> int:
        code = answer.code
        if code is None:
            code = self._codes.get(answer.kind)
            if code is None:
                code = self.tally.named(answer.kind, answer.error or "")
                # The kernel keeps 64 names; with more than that, remembering them here would be the leak.
                if len(self._codes) < 64:
                    self._codes[answer.kind] = code
        elif answer.error is not None and answer.kind not in self._codes:
            self._codes[answer.kind] = code
            self.tally.note(code, answer.error)
        return code


def throughput_of(records: list[Record], until: float) -> Throughput:
    """The counts over time of all scenarios together, up to a moment of the run."""
    course = records[0].course
    tables = np.stack([record.slices(until) for record in records])
    table, slowest = tables.sum(axis=0), tables[:, :, 5].max(axis=0)
    used = int(np.flatnonzero(table[:, :2].any(axis=1))[-1]) + 1 if table[:, :2].any() else 0
    edges = [course.plan.planned(i * course.interval) for i in range(used + 1)]
    columns = [tuple(table[:used, i].tolist()) for i in range(5)]
    return Throughput(
        interval=course.interval,
        planned=tuple(after - before for before, after in itertools.pairwise(edges)),
        sent=columns[0],
        completed=columns[1],
        succeeded=columns[2],
        bytes=columns[4],
        late=columns[3],
        slowest=tuple((slowest[:used] / 1e9).tolist()),
    )


def blocks_of(records: list[Record]) -> tuple[HlogInterval, ...]:
    """The blocks of the plan in which requests ended, in order of time; seconds from the end of the warm-up."""
    number, width = records[0].course.blocks
    found = []
    for i in range(number):
        block = together(record.block(i) for record in records)
        if block.count:
            found.append(HlogInterval(i * width, width, None, block))
    return tuple(found)


def together(histograms: Iterable[Histogram]) -> Histogram:
    """Several histograms of the same layout as one."""
    made, *others = histograms
    for other in others:
        made.merge(other)
    return made
