"""The arrivals that one driver starts, in order, and how many were due."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

import numpy as np

from seawall.measure.load._course import Course
from seawall.measure.load.drive._split import Picker, Share
from seawall.measure.load.pattern._arrivals import Arrivals, arrival_times
from seawall.measure.load.pattern._plans import Floats


class Stream:
    """Due times in blocks; the plan itself is the queue, so a backlog of any length takes no memory. For one thread.

    The n-th time of a stream is call `first + n * stride` of its scenario, counted over all workers.
    """

    def __init__(self, course: Course, arrivals: Arrivals, seed: int | None, share: Share) -> None:
        self.first, self.stride = share.worker, share.workers
        self._ends = np.array(course.ends)
        self._blocks = _dealt(course, arrivals, seed, share)
        self._recent: deque[Floats] = deque()
        self._due = np.zeros(len(course.phases), dtype=np.int64)
        self._last = np.inf

    def take(self, now: float) -> Floats | None:
        """The next due times, one at least; None when there are no more. `now` is seconds from the start."""
        while self._recent and self._recent[0][-1] <= now:
            self._count(self._recent.popleft())
        block = next(self._blocks, None)
        if block is not None:
            self._recent.append(block)
        return block

    def close(self, last: float) -> None:
        """Nothing that is due after `last` is part of the run."""
        self._last = last

    def due(self, until: float) -> list[int]:
        """How many were due up to `until` by phase, taken or not; call it once nothing is taken any more."""
        until = min(until, self._last)
        for block in itertools.chain(self._recent, self._blocks):
            known = block[: int(np.searchsorted(block, until, side="right"))]
            self._count(known)
            if known.size < block.size:
                break
        self._recent.clear()
        return [int(n) for n in self._due]

    def _count(self, block: Floats) -> None:
        phases = np.minimum(np.searchsorted(self._ends, block, side="right"), len(self._ends) - 1)
        self._due += np.bincount(phases, minlength=len(self._ends))


def _dealt(course: Course, arrivals: Arrivals, seed: int | None, share: Share) -> Iterator[Floats]:
    picker = Picker(share.weights, arrivals, seed)
    arrived = of_scenario = 0
    for block in arrival_times(course.plan, arrivals, seed=seed):
        mine = block[picker.pick(arrived, len(block)) == share.scenario]
        numbers = np.arange(of_scenario, of_scenario + len(mine))
        arrived += len(block)
        of_scenario += len(mine)
        times = mine[numbers % share.workers == share.worker]
        if times.size:
            yield times
