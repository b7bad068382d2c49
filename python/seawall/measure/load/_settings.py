"""All that a run is told, in one object that can be sent to another process."""

from __future__ import annotations

import resource
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load._arrivals import Arrivals
from seawall.measure.load._closed import Closed
from seawall.measure.load._course import Course
from seawall.measure.load._pattern import Pattern
from seawall.measure.load._thresholds import Threshold
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

    @property
    def most(self) -> int | None:
        """How many requests can be due in the totals; None where chance or the target decides."""
        if self.closed is not None or self.arrivals != "uniform" or self.course.warmup:
            return None
        return self.course.plan.arrivals

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the scenarios."""
        return tuple(float(scenario.weight) for scenario in self.scenarios)

    @property
    def target(self) -> str:
        """What is called, in a few words."""
        return ", ".join(scenario.describe() for scenario in self.scenarios)

    def places(self, scenario: Scenario) -> int:
        """Calls of a scenario under way at once."""
        if self.closed is not None:
            return self.closed.users
        return scenario.max_concurrency or self.max_concurrency

    def describe(self) -> str:
        """The load in a few words."""
        return self.closed.describe() if self.pattern is None and self.closed else self.pattern.describe()  # type: ignore[union-attr]

    def check_files(self) -> None:
        """Raise ConfigError where the connections need more open files than this process may have."""
        needed = sum(self.places(one) for one in self.scenarios if not one.is_callable)
        if needed:
            check_files(needed, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def check_files(concurrency: int, limit: int) -> None:
    """Raise ConfigError where that many connections need more open files than `limit` (-1: no limit)."""
    needed = concurrency + _OTHER_FILES
    if limit != resource.RLIM_INFINITY and needed > limit:
        raise ConfigError(
            f"max_concurrency {concurrency:,} needs {needed:,} open files but this process may have {limit:,}; "
            f"lower it to {max(limit - _OTHER_FILES, 1):,} or run `ulimit -n {needed}` first"
        )
