"""When each request of a plan is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load.pattern._plans import Floats, Plan

Arrivals = Literal["uniform", "poisson"]

_BLOCK = 4096


def check_arrivals(kind: str) -> None:
    """Raise ConfigError unless `kind` is one of the two."""
    if kind not in get_args(Arrivals):
        raise ConfigError(
            f"arrivals must be 'uniform' or 'poisson', got {kind!r}; "
            "uniform spaces requests evenly, poisson by chance like independent users"
        )


def arrival_times(
    plan: Plan, kind: Arrivals = "uniform", *, seed: int | None = None, block: int = _BLOCK
) -> Iterator[Floats]:
    """Yield the due times of a plan in order, in blocks of at most `block`: bounded memory for a run of any length.

    Guarantees: uniform arrival k = 0, 1, ... is due where the plan's integral is k + 1/2, in the middle of its share,
    so none falls on an edge of the run and their number is the plan's total rounded. Poisson arrivals are a unit-rate
    process seen through the inverse integral (time rescaling), so their number varies around the total.

    Units: seconds from the start of the run.

    Args:
        plan: What is asked for.
        kind: uniform or poisson.
        seed: Makes poisson arrivals repeatable; uniform ones always are.
        block: The most times in one array.

    Raises:
        ConfigError: The kind is unknown.

    Source: time rescaling, Brown et al., "The time-rescaling theorem", Neural Computation 14 (2002).
    """
    check_arrivals(kind)
    counts = _uniform(plan.arrivals, block) if kind == "uniform" else _poisson(plan.total, seed, block)
    return _in_order(plan, counts)


def _in_order(plan: Plan, counts: Iterator[Floats]) -> Iterator[Floats]:
    last = 0.0
    for some in counts:
        # The inverse is exact to a rounding; neighbours closer than that must still not change places.
        times = np.maximum.accumulate(np.clip(plan.when(some), last, plan.duration))
        last = float(times[-1])
        yield times


def _uniform(n: int, block: int) -> Iterator[Floats]:
    for first in range(0, n, block):
        yield np.arange(first, min(first + block, n), dtype=np.float64) + 0.5


def _poisson(total: float, seed: int | None, block: int) -> Iterator[Floats]:
    chance = np.random.default_rng(seed)
    reached = 0.0
    while reached < total:
        counts = reached + np.cumsum(chance.exponential(size=block))
        reached = float(counts[-1])
        due = counts[: int(np.searchsorted(counts, total, side="right"))]
        if due.size:
            yield due
