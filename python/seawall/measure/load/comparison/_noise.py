"""Why a percentile cannot tell, in words with numbers, and what would help."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seawall.measure.load.comparison._bootstrap import Counts, Floats
from seawall.measure.load.comparison._effect import Effect, effect
from seawall.measure.load.comparison._student import t_quantile

# Below these, the spread of resamples says little about the spread of runs.
FEWEST_BLOCKS = 10
_FEWEST_BEYOND = 10
# Halves of a run differ by chance in one comparison of a hundred.
_DRIFT_CHANCE = 0.01
_DRIFT_RESAMPLES = 200
_MOST_RUNS = 50
_MOST_TIMES = 20


def too_few(percentile: float, sides: Sequence[Counts]) -> str:
    """What there are too few of to judge a percentile; empty where there is enough."""
    blocks, total = min(side.blocks for side in sides), min(sum(side.totals) for side in sides)
    if blocks < FEWEST_BLOCKS:
        return f"{blocks} blocks of time, {FEWEST_BLOCKS} are needed; run for longer"
    # The rarer side of the percentile is what its spread depends on.
    needed = math.ceil(round(_FEWEST_BEYOND / min(1 - percentile / 100, percentile / 100), 6))
    return f"{total:,} requests, {needed:,} are needed" if total < needed else ""


def drifts(sides: Sequence[Counts], levels: Floats, tolerance: float, rng: np.random.Generator) -> list[str]:
    """Where the halves of the runs tell different changes, what they tell; empty where they agree.

    Runs that warm up or swing alike on both sides agree: only a change that comes and goes does not. One that grows,
    and is beyond the tolerance in both halves, is no drift but a finding.
    """
    halves = [[side.half(which) for side in sides] for which in (0, 1)]
    enough = [not any(too_few(level, half) for half in halves) for level in levels.tolist()]
    if not any(enough):
        return [""] * len(levels)
    first, second = (effect(half, levels, rng, resamples=_DRIFT_RESAMPLES) for half in halves)
    # What differs from run to run is in both halves, and cancels.
    error, freedom = np.sqrt(first.within + second.within), np.minimum(first.freedom, second.freedom)
    share, step = 1 - _DRIFT_CHANCE / 2 / len(levels), math.log1p(tolerance)
    told = []
    for i, known in enumerate(enough):
        changes = float(first.change[i]), float(second.change[i])
        bound = max(t_quantile(share, round(float(freedom[i]), 1)) * float(error[i]), step)
        agree = min(changes) > step or max(changes) < -step or abs(changes[1] - changes[0]) <= bound
        told.append("" if agree or not known else _drift(*changes))
    return told


def _drift(first: float, second: float) -> str:
    return (
        f"the change is {math.expm1(first):+.1%} in the first half of the runs and {math.expm1(second):+.1%} in the "
        "second; warm up before measuring, or run for longer on a quieter machine"
    )


@dataclass(frozen=True, slots=True)
class Width:
    """How wide the interval of one percentile is, and of what. Units: natural logarithms of times.

    Args:
        change: The middle of the interval.
        half: Half of its width.
        within: Variance of the change from chance within runs.
        spread: Standard deviation from run to run.
        freedom: Degrees of freedom of `within`.
        runs: How many runs there are a side.
        tolerance: What does not matter.
        share: Of Student's distribution below an end of the interval.
    """

    change: float
    half: float
    within: float
    spread: float
    freedom: float
    runs: tuple[int, int]
    tolerance: float
    share: float

    @classmethod
    def at(cls, i: int, found: Effect, *, runs: tuple[int, int], tolerance: float, share: float) -> Width:
        """The width at one of the levels; here the tolerance is relative."""
        change, within, spread = (float(part[i]) for part in (found.change, found.within, found.spread))
        freedom = float(found.freedom[i])
        half = t_quantile(share, round(freedom, 1)) * float(found.error[i])
        return cls(change, half, within, spread, freedom, runs, math.log1p(tolerance), share)


def too_wide(width: Width) -> str:
    """Why an interval that is neither within nor beyond the tolerance cannot tell, and what would help."""
    tolerance, change = math.expm1(width.tolerance), math.expm1(width.change)
    gap = abs(abs(width.change) - width.tolerance)
    if width.half <= width.tolerance and gap < width.tolerance / 4:
        return f"the change of {change:+.1%} is about as large as the tolerance of {tolerance:.1%}; choose another one"
    noise = f"noise of ±{math.expm1(width.half):.1%} against a tolerance of {tolerance:.1%}"
    if math.expm1(width.spread) >= 0.0005:
        noise += f", runs of one side differ by {math.expm1(width.spread):.1%}"
    return f"{noise}; {_help(width, max(gap, width.tolerance / 2))}"


def _help(width: Width, target: float) -> str:
    wide = f"a quieter machine, or a tolerance of about {math.expm1(width.half + abs(width.change)):.0%}"
    if sum(width.runs) == 2:
        times = math.ceil((width.half / target) ** 2)
        return f"runs about {max(times, 2)} times as long would tell" if times <= _MOST_TIMES else f"it takes {wide}"
    needed = runs_needed(width, target)
    return f"about {needed} runs a side would tell" if needed else f"it takes {wide}"


def runs_needed(width: Width, target: float) -> int | None:
    """How many runs a side of the same length bring half of the interval down to `target`; None above 50."""
    a, b = width.runs
    one = width.within / (1 / a + 1 / b)
    for runs in range(max(a, b) + 1, _MOST_RUNS + 1):
        within, between = 2 * one / runs, 2 * width.spread**2 / runs
        # More runs also know their own spread better.
        doubt = within**2 / (width.freedom * 2 * runs / (a + b)) + between**2 / (2 * runs - 2)
        freedom = (within + between) ** 2 / doubt if doubt else 1e6
        if t_quantile(width.share, round(min(freedom, 1e6), 1)) * math.sqrt(within + between) <= target:
            return runs
    return None
