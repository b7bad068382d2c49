"""All that a run is told, in one object that can be sent to another process."""

from __future__ import annotations

import resource
from dataclasses import dataclass, replace

from seawall.errors import ConfigError
from seawall.measure.load._closed import Closed, split
from seawall.measure.load._course import Course
from seawall.measure.load._thresholds import Threshold
from seawall.measure.load.pattern._arrivals import Arrivals
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.target import Scenario

# Files a process has open besides its connections.
_OTHER_FILES = 64


@dataclass(frozen=True)
class Settings:
    """What one run does.

    Args:
        scenarios: What is called.
        pattern: The shape of load; None in the closed model.
        closed: The closed model; None in the open one.
        course: How the run is laid out in time.
        arrivals: How requests are spaced.
        seed: Of whatever is left to chance; None where nothing is.
        max_concurrency: Calls under way at once, of each scenario that does not say otherwise.
        thresholds: What the run must keep.
        abort: Whether it ends when that cannot be done any more.
        threads: Of the engine in C++, for each scenario it runs.
        workers: Processes that make the calls; 1 for this one.
    """

    scenarios: tuple[Scenario, ...]
    pattern: Pattern | None
    closed: Closed | None
    course: Course
    arrivals: Arrivals
    seed: int | None
    max_concurrency: int
    thresholds: tuple[Threshold, ...]
    abort: bool
    threads: int
    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers > 1:
            self._check_split()

    @property
    def most(self) -> int | None:
        """How many requests can be due in the totals, at most; None where chance or the target decides."""
        if self.closed is not None or self.arrivals != "uniform":
            return None
        before = self.course.plan.planned(self.course.warmup) if self.course.warmup else 0.0
        # Rounded so that it is never too few: then nothing is called lost that is not.
        return self.course.plan.arrivals - max(int(before) - 1, 0)

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the scenarios."""
        return tuple(float(scenario.weight) for scenario in self.scenarios)

    def closed_of(self, i: int) -> Closed | None:
        """The users of one scenario; None in the open model."""
        return None if self.closed is None else replace(self.closed, users=split(self.closed.users, self.weights)[i])

    @property
    def target(self) -> str:
        """What is called, in a few words."""
        return ", ".join(scenario.describe() for scenario in self.scenarios)

    def places(self, i: int) -> int:
        """Calls of a scenario under way at once."""
        closed = self.closed_of(i)
        return closed.users if closed is not None else self.scenarios[i].max_concurrency or self.max_concurrency

    def describe(self) -> str:
        """The load in a few words."""
        return self.closed.describe() if self.pattern is None and self.closed else self.pattern.describe()  # type: ignore[union-attr]

    def check_files(self) -> None:
        """Raise ConfigError where the connections of a process need more open files than it may have."""
        needed = sum(-(-self.places(i) // self.workers) for i, one in enumerate(self.scenarios) if not one.is_callable)
        if needed:
            check_files(needed, resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    def _check_split(self) -> None:
        for i in range(len(self.scenarios)):
            if self.workers > self.places(i):
                bound = "max_concurrency" if self.closed is None else "the number of users"
                raise ConfigError(
                    f"workers must be at most {bound}, here {self.places(i):,}, got {self.workers}; raise "
                    f"{bound} or lower workers"
                )


def check_files(concurrency: int, limit: int) -> None:
    """Raise ConfigError where that many connections need more open files than `limit` (-1: no limit)."""
    needed = concurrency + _OTHER_FILES
    if limit != resource.RLIM_INFINITY and needed > limit:
        raise ConfigError(
            f"max_concurrency {concurrency:,} needs {needed:,} open files but this process may have {limit:,}; "
            f"lower it to {max(limit - _OTHER_FILES, 1):,} or run `ulimit -n {needed}` first"
        )
