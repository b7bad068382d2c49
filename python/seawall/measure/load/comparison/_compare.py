"""Whether one load test was slower than another, as far as the two can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.comparison._bootstrap import Counts, Floats
from seawall.measure.load.comparison._comparison import Comparison, Curve, Difference, Word
from seawall.measure.load.comparison._effect import effect
from seawall.measure.load.comparison._noise import Width, drifts, too_few, too_wide
from seawall.measure.load.comparison._samples import Run, Sample, read_side

# Failures may be answered sooner or later than successes: from this difference on, times are not compared.
_ERROR_GAP = 0.01
# A server asked for more is another experiment.
_RATE_GAP = 0.1
# From P1 up to P99.99 by equal steps of the number of nines.
_CURVE = np.array([1.0, 5.0, *(100 * (1 - 10 ** (-step / 15)) for step in range(1, 61))])


@dataclass(frozen=True, slots=True)
class _Question:
    levels: Floats
    tolerance: float
    confidence: float
    seed: int

    @property
    def share(self) -> float:
        # Of Student's distribution below an upper end, so that all intervals hold together (Bonferroni).
        return 1 - (1 - self.confidence) / 2 / len(self.levels)


def compare(
    a: Run | Sequence[Run],
    b: Run | Sequence[Run],
    *,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    percentiles: Sequence[float] = (50, 90, 95, 99),
    seed: int = 0,
) -> Comparison:
    """Compare the response times of two sides of load tests, percentile by percentile.

    Guarantees: the same results and seed give the same comparison. The confidence intervals hold together: at a
    confidence of 95 %, about one comparison in twenty at most calls slower what is not (Bonferroni). With one run a
    side that is said of the two runs; only several runs a side show how runs differ among themselves.

    Cost: some hundredths of a second a run.

    Args:
        a: The runs before: a LoadResult, a file of one, a folder of such files (`*.json`), or a list of them.
        b: The runs after.
        tolerance: The relative change that does not matter, 0.001 to 1.
        confidence: With which all intervals hold together, 0.5 to 0.99.
        percentiles: Above 0 and below 100, 1 to 16 of them.
        seed: Of the resampling.

    Raises:
        ConfigError: An option is out of range, or a side is not of load tests.

    Source: bootstrap by blocks of time (Politis and Romano, 1992) for the standard errors, Student's t with
    Satterthwaite's degrees of freedom for the intervals; equivalence by inclusion of the interval (Westlake, 1981).
    """
    tolerance = _checks.number("tolerance", tolerance, low=0.001, high=1, unit="of the time", way_out="0.05 is 5 %")
    confidence = _checks.number("confidence", confidence, low=0.5, high=0.99, unit="of cases", way_out="0.95 is 95 %")
    levels = _levels(percentiles)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed must be a whole number, not negative, got {seed!r}; 0 is the default")
    before, after = read_side("a", a), read_side("b", b)
    errors = _error_share(before), _error_share(after)
    # A run in which nothing ended has no block to draw, and takes no part.
    filled = [[run.blocks for run in side if run.blocks] for side in (before, after)]
    question = _Question(np.array(levels), tolerance, confidence, seed)
    counts = [Counts.of(side) for side in filled] if all(filled) else []
    return Comparison(
        differences=_differences(counts, question),
        errors=errors,
        doubts=_doubts(before, after, errors),
        tolerance=tolerance,
        confidence=confidence,
        runs=(len(before), len(after)),
        curves=(_curve(counts[0]), _curve(counts[1])) if counts else ((), ()),
    )


def _levels(percentiles: Sequence[float]) -> list[float]:
    levels = sorted(set(percentiles))
    if not 1 <= len(levels) <= 16 or not all(0 < level < 100 for level in levels):
        raise ConfigError(
            f"percentiles must be 1 to 16 numbers above 0 and below 100, got {list(percentiles)!r}; "
            "for example [50, 90, 99]"
        )
    return [float(level) for level in levels]


def _differences(counts: list[Counts], question: _Question) -> tuple[Difference, ...]:
    if not counts:
        nan = math.nan
        named = question.levels.tolist()
        return tuple(Difference(p, nan, nan, nan, nan, nan, "cannot tell", "nothing ended") for p in named)
    rng = np.random.default_rng(question.seed)
    found = effect(counts, question.levels, rng)
    a, b = (side.percentiles(question.levels).tolist() for side in counts)
    judged = []
    for i, p in enumerate(question.levels.tolist()):
        runs = len(counts[0].runs), len(counts[1].runs)
        width = Width.at(i, found, runs=runs, tolerance=question.tolerance, share=question.share)
        judged.append(_difference((p, a[i], b[i]), width, too_few(p, counts), question.tolerance))
    return _steady(judged, counts, question, rng)


def _difference(values: tuple[float, float, float], width: Width, reason: str, tolerance: float) -> Difference:
    percentile, a, b = values
    low, high = math.expm1(width.change - width.half), math.expm1(width.change + width.half)
    word: Word = "cannot tell" if reason else _judge(low, high, tolerance)
    if word == "cannot tell" and not reason:
        reason = too_wide(width)
    spread = math.expm1(width.spread) if max(width.runs) > 1 else math.nan
    return Difference(percentile, a, b, b / a - 1, low, high, word, reason, spread)


def _steady(
    judged: list[Difference], counts: list[Counts], question: _Question, rng: np.random.Generator
) -> tuple[Difference, ...]:
    """Take back the verdicts that one half of the runs does not share; longer runs would not help there either."""
    told = drifts(counts, question.levels, question.tolerance, rng)
    return tuple(
        replace(one, verdict="cannot tell", reason=drift) if drift else one
        for one, drift in zip(judged, told, strict=True)
    )


def _judge(low: float, high: float, tolerance: float) -> Word:
    if low > tolerance:
        return "slower"
    # Twice as fast undoes twice as slow: the same step in both directions.
    if high < 1 / (1 + tolerance) - 1:
        return "faster"
    return "same" if low >= 1 / (1 + tolerance) - 1 and high <= tolerance else "cannot tell"


def _curve(counts: Counts) -> Curve:
    total = sum(counts.totals)
    levels = _CURVE[total * (1 - _CURVE / 100) >= 1]
    return tuple(zip(levels.tolist(), counts.percentiles(levels).tolist(), strict=True))


def _error_share(runs: list[Sample]) -> float:
    completed = sum(run.completed for run in runs)
    return sum(run.failed for run in runs) / completed if completed else math.nan


def _doubts(before: list[Sample], after: list[Sample], errors: tuple[float, float]) -> tuple[str, ...]:
    told = [
        f"run {i} of {name}: {run.doubt}"
        for name, side in (("a", before), ("b", after))
        for i, run in enumerate(side, 1)
        if run.doubt
    ]
    if abs(errors[1] - errors[0]) > _ERROR_GAP:
        told.append(f"{errors[0]:.1%} of the requests of a failed and {errors[1]:.1%} of b: their times differ in kind")
    rates = [sum(run.rate for run in side) / len(side) for side in (before, after)]
    if all(rates) and abs(rates[1] / rates[0] - 1) > _RATE_GAP:
        told.append(
            f"a was asked for {rates[0]:,.0f} requests a second and b for {rates[1]:,.0f}: run both the same way"
        )
    return tuple(told)
