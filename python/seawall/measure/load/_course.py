"""How a run is laid out in time: its warm-up, its phases, its slices and blocks, and when it is over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._patterns import Constant
from seawall.measure.load.pattern._plans import Plan

WARM_UP = "warm-up"
REST = "rest"
_MOST_PHASES = 24
_MOST_BLOCKS = 64
# Shorter blocks would depend on each other: a stall of a garbage collector or a scheduler fits inside.
_SHORTEST_BLOCK = 0.1
# Two counts a slice and millions of slices would be more than anyone looks at.
_MOST_SLICES = 1_000_000


@dataclass(frozen=True, slots=True)
class Phase:
    """A named stretch of a run. Units: seconds from its start, the warm-up included."""

    name: str
    start: float
    end: float
    counted: bool = True


@dataclass(frozen=True)
class Course:
    """A pattern laid over a warm-up and a duration.

    Units: seconds.

    Args:
        plan: All that is asked for, the warm-up included.
        warmup: Length of the warm-up.
        duration: Length of the plan without it.
        phases: In order, without a gap; the first one is the warm-up where there is one.
        named: Whether there is a phase that somebody named.
        interval: Length of a slice of the timeline.
        grace: How long after the end what waits may start.
        timeout: The longest that one request may take.
    """

    plan: Plan
    warmup: float
    duration: float
    phases: tuple[Phase, ...]
    named: bool
    interval: float
    grace: float
    timeout: float

    @property
    def end(self) -> float:
        """When the last request is due at the latest."""
        return self.warmup + self.duration

    @property
    def until(self) -> float:
        """When nothing is started any more."""
        return self.end + self.grace

    @property
    def ends(self) -> tuple[float, ...]:
        """The ends of the phases."""
        return tuple(phase.end for phase in self.phases)

    @property
    def longest(self) -> float:
        """The longest time that a histogram has to hold."""
        return max(self.warmup + self.duration + self.grace + self.timeout, 1.0)

    @property
    def blocks(self) -> tuple[int, float]:
        """How many blocks the plan has, and the length of each."""
        number = max(1, min(_MOST_BLOCKS, int(self.duration / _SHORTEST_BLOCK)))
        return number, self.duration / number

    def tally_shape(self) -> tuple[float, int, float, float, int, tuple[float, ...], float]:
        """What a kernel tally is made with."""
        number, width = self.blocks
        slices = math.ceil(self.longest / self.interval) + 1
        return self.interval, slices, self.warmup, width, number, self.ends, self.longest


def lay_course(
    pattern: Pattern,
    *,
    duration: float,
    warmup: float,
    phases: Mapping[str, float],
    interval: float,
    grace: float,
    timeout: float,
) -> Course:
    """Lay a pattern over a run; the warm-up runs at the rate at which the pattern starts, or at its mean if that is 0.

    Raises:
        ConfigError: The pattern, or the phases, do not fit into the duration; or the slices are too many.
    """
    plan = pattern.over(duration)
    if (duration + warmup) / interval > _MOST_SLICES:
        raise ConfigError(
            f"interval must be at least {(duration + warmup) / _MOST_SLICES:.3g} seconds for a run of "
            f"{duration + warmup:,.10g} seconds, got {interval:,.10g}; 1 is the default"
        )
    if warmup:
        rate = plan.rate(0.0) or plan.total / duration
        plan = Constant(rate).then(pattern, after=warmup).over(warmup + duration)
    return Course(plan, warmup, duration, _phases(phases, warmup, duration), bool(phases), interval, grace, timeout)


def _phases(lengths: Mapping[str, float], warmup: float, duration: float) -> tuple[Phase, ...]:
    if not isinstance(lengths, Mapping):
        raise ConfigError(f"phases must be names with their lengths, got {lengths!r}; for example {{'ramp': 10}}")
    if len(lengths) > _MOST_PHASES:
        raise ConfigError(f"phases must be at most {_MOST_PHASES}, got {len(lengths)}; name the longer ones only")
    taken = [name for name in lengths if not isinstance(name, str) or name in ("", WARM_UP, REST) or "}" in name]
    if taken:
        raise ConfigError(f"a phase must have a name of its own, got {taken[0]!r}; for example 'peak'")
    seconds = [
        _checks.seconds(f"phase {name!r}", length, way_out="for example 10 for ten seconds")
        for name, length in lengths.items()
    ]
    total = math.fsum(seconds)
    if total > duration * (1 + 1e-9):
        raise ConfigError(
            f"phases must fit into the duration of {duration:,.10g} seconds, got {total:,.10g}; shorten one"
        )
    names = list(lengths)
    if duration - total > 1e-6:
        names, seconds = [*names, REST if names else ""], [*seconds, duration - total]
    edges = [warmup + edge for edge in (0.0, *itertools.accumulate(seconds))]
    spans = zip(names, edges, [*edges[1:-1], warmup + duration], strict=False)
    plan = tuple(Phase(name, start, end) for name, start, end in spans)
    return (Phase(WARM_UP, 0.0, warmup, counted=False), *plan) if warmup else plan
