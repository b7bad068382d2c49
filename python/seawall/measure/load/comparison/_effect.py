"""The change between two sides with its standard error: chance within runs, and what differs from run to run.

Source: random effects of runs by the method of moments (Cochran, 1954); degrees of freedom by F. Satterthwaite, An
approximate distribution of estimates of variance components (1946).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seawall.measure.load.comparison._bootstrap import Counts, Floats, standard_errors, stretch


@dataclass(frozen=True, slots=True)
class Side:
    """What the runs of one side say. Units: natural logarithms of seconds.

    Shapes: values: (levels,) of all requests together; runs, errors: (runs, levels); weights, freedom: (runs,).
    """

    values: Floats
    runs: Floats
    errors: Floats
    weights: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much the logarithm of each percentile differs.

    Shapes: all (levels,). `within` and `between` are the parts of the variance of `change` that come from chance within
    runs and from the differences of runs; `spread` is the standard deviation from run to run.
    """

    change: Floats
    within: Floats
    between: Floats
    spread: Floats
    freedom: Floats

    @property
    def error(self) -> Floats:
        """Standard error of `change`."""
        whole: Floats = np.sqrt(self.within + self.between)
        return whole


# The standard error of a standard error is 3 % then.
_RESAMPLES = 500


def effect(sides: Sequence[Counts], levels: Floats, rng: np.random.Generator, *, resamples: int = _RESAMPLES) -> Effect:
    """The change from the first side to the second."""
    length = stretch([side.exceedances(i, side.percentiles(levels)) for side in sides for i in range(len(side.runs))])
    return combine([_side(counts, levels, length, resamples, rng) for counts in sides])


def _side(counts: Counts, levels: Floats, length: int, resamples: int, rng: np.random.Generator) -> Side:
    numbers = range(len(counts.runs))
    totals = np.array(counts.totals, dtype=np.float64)
    return Side(
        values=np.log(counts.percentiles(levels)),
        runs=np.log(counts.run_percentiles(levels)),
        errors=np.stack([standard_errors(counts, i, levels, length=length, times=resamples, rng=rng) for i in numbers]),
        weights=totals / totals.sum(),
        freedom=np.array([max(len(run) / length - 1, 1.0) for run in counts.runs]),
    )


def combine(sides: Sequence[Side]) -> Effect:
    """Add up what each run contributes to the uncertainty of the change."""
    parts = [(side.weights[:, None] * side.errors) ** 2 for side in sides]
    within = sum((part.sum(axis=0) for part in parts), np.zeros(len(sides[0].values)))
    variance, known = _between(sides)
    between = variance * sum(float((side.weights**2).sum()) for side in sides)
    doubt = sum((part**2 / side.freedom[:, None]).sum(axis=0) for part, side in zip(parts, sides, strict=True))
    doubt = doubt + (between**2 / known if known else 0.0)
    whole = within + between
    freedom = np.where(doubt > 0, whole**2 / np.where(doubt > 0, doubt, 1.0), 1e6)
    return Effect(sides[1].values - sides[0].values, within, between, np.sqrt(variance), np.clip(freedom, 1.0, 1e6))


def _between(sides: Sequence[Side]) -> tuple[Floats, int]:
    """The variance from run to run, taken to be alike on both sides, and how many contrasts tell of it."""
    known = sum(len(side.runs) - 1 for side in sides)
    zero = np.zeros(len(sides[0].values))
    if not known:
        return zero, 0
    seen = sum((((side.runs - side.runs.mean(axis=0)) ** 2).sum(axis=0) for side in sides), zero)
    chance = sum(((len(side.runs) - 1) * (side.errors**2).mean(axis=0) for side in sides), zero)
    return np.maximum(seen - chance, 0.0) / known, known
