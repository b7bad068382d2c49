"""What makes a run's arrivals again, as plain data: the pattern, and how it was laid over the run."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load._course import lay_course
from seawall.measure.load.pattern._arrivals import arrival_times
from seawall.measure.load.pattern._pattern import Limited, Multiple, Pattern, Sequence, Sum
from seawall.measure.load.pattern._patterns import Constant, Linear, Sine, Spike, Step
from seawall.measure.load.pattern._plans import Floats
from seawall.measure.load.pattern._replay import Replay
from seawall.measure.load.pattern._stages import Stages
from seawall.measure.load.pattern._timestamps import MAX_TIMES

if TYPE_CHECKING:
    from seawall.measure.load._settings import Settings

_KINDS: dict[str, type[Pattern]] = {
    kind.__name__: kind
    for kind in (Constant, Linear, Step, Spike, Sine, Stages, Replay, Sum, Multiple, Sequence, Limited)
}
# A recording is written out in the result; a longer one is better kept as the file that it is.
_MOST_WRITTEN = 100_000


def recipe_of(settings: Settings) -> dict[str, Any] | None:
    """What makes the arrivals again; None for the closed model, long recordings and patterns from elsewhere."""
    pattern = None if settings.pattern is None else pattern_facts(settings.pattern)
    if pattern is None:
        return None
    course = settings.course
    laid = {"duration": course.duration, "warmup": course.warmup, "arrivals": settings.arrivals, "seed": settings.seed}
    return {"pattern": pattern, **laid}


def arrivals_of(recipe: Mapping[str, Any]) -> Floats:
    """The times at which requests were due, in seconds from the end of the warm-up: (n,) float64.

    Raises:
        ConfigError: It is no recipe, or of more than 10,000,000 arrivals.
    """
    try:
        facts, warmup, arrivals = recipe["pattern"], float(recipe["warmup"]), recipe["arrivals"]
        duration, seed = float(recipe["duration"]), recipe["seed"]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"plan must be what a result holds, got {str(recipe)[:80]!r}: {error!r}") from error
    plan = lay_course(
        pattern_from(facts), duration=duration, warmup=warmup, phases={}, interval=duration, grace=0.0, timeout=1.0
    ).plan
    if plan.total > MAX_TIMES:
        raise ConfigError(
            f"replay takes at most {MAX_TIMES:,} timestamps, got about {plan.total:,.0f} planned; run its pattern again"
        )
    blocks = list(arrival_times(plan, arrivals, seed=seed))
    times = np.concatenate(blocks) if blocks else np.zeros(0)
    counted: Floats = times[times >= warmup] - warmup
    return counted


def pattern_facts(pattern: Pattern) -> dict[str, Any] | None:
    """A pattern as plain data; None where that cannot be said."""
    kind = type(pattern).__name__
    if _KINDS.get(kind) is not type(pattern):
        return None
    if isinstance(pattern, Replay):
        times = pattern.times
        return {"kind": kind, "source": times.tolist(), "begin": 0.0} if times.size <= _MOST_WRITTEN else None
    facts: dict[str, Any] = {"kind": kind}
    for field in fields(pattern):  # type: ignore[arg-type]  # every kind is a dataclass
        value = getattr(pattern, field.name)
        facts[field.name] = pattern_facts(value) if isinstance(value, Pattern) else value
        if isinstance(value, Pattern) and facts[field.name] is None:
            return None
    return facts


def pattern_from(facts: Mapping[str, Any]) -> Pattern:
    """The pattern that plain data describes.

    Raises:
        ConfigError: It describes none.
    """
    kind = _KINDS.get(facts.get("kind", "")) if isinstance(facts, Mapping) else None
    if kind is None:
        raise ConfigError(f"pattern must be one of {', '.join(_KINDS)}, got {str(facts)[:80]!r}")
    options = {name: value for name, value in facts.items() if name != "kind"}
    known = inspect.signature(kind).parameters
    strange = [name for name in options if name not in known]
    if strange:
        raise ConfigError(f"pattern {kind.__name__} has {', '.join(known)}, got {strange[0]!r}")
    made: dict[str, Any] = {
        name: pattern_from(value) if isinstance(value, Mapping) else value for name, value in options.items()
    }
    if kind is Stages:
        made["stages"] = [tuple(stage) for stage in made["stages"]]
    return kind(**made)
