"""Whether one load test was slower than another, as far as the two can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load._bootstrap import Counts
from seawall.measure.load._samples import Run, Sample, read_side

Word = Literal["same", "faster", "slower", "cannot tell"]
# Below these, the spread of resamples says little about the spread of runs.
_FEWEST_BLOCKS = 10
_FEWEST_BEYOND = 10
# Failures may be answered sooner or later than successes: from this difference on, times are not compared.
_ERROR_GAP = 0.01
_EXIT_CODES: dict[Word, int] = {"same": 0, "faster": 0, "slower": 1, "cannot tell": 4}


@dataclass(frozen=True, slots=True)
class Difference:
    """How a percentile of the response time differs.

    Units: `a` and `b` in seconds, nan where nothing ended; `change`, `low` and `high` relative to `a`: 0.2 is 20 %
    slower.

    Args:
        percentile: Which one, above 0 and below 100.
        a: Its value before.
        b: Its value after.
        change: b / a - 1.
        low: Lower end of the confidence interval of `change`.
        high: Upper end of it.
        verdict: slower or faster when the whole interval is beyond the tolerance, same when it is within, else cannot
            tell.
        reason: Why it cannot tell, where that is not the width of the interval.
    """

    percentile: float
    a: float
    b: float
    change: float
    low: float
    high: float
    verdict: Word
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two load tests gave.

    Args:
        differences: One a percentile.
        errors: Shares of failed requests before and after.
        doubts: Why the times do not speak of the target alone.
        tolerance: The relative change that does not matter.
        confidence: With which all intervals hold together.
    """

    differences: tuple[Difference, ...]
    errors: tuple[float, float]
    doubts: tuple[str, ...]
    tolerance: float
    confidence: float

    @property
    def verdict(self) -> Word:
        """Slower if any percentile is; same or faster only if every one can tell, and nothing speaks against it."""
        words = {difference.verdict for difference in self.differences}
        if self.doubts or ("cannot tell" in words and "slower" not in words):
            return "cannot tell"
        return next(word for word in ("slower", "faster", "same") if word in words)

    @property
    def exit_code(self) -> int:
        """0 for same or faster, 1 for slower, 4 for cannot tell."""
        return _EXIT_CODES[self.verdict]


@dataclass(frozen=True, slots=True)
class _Question:
    levels: list[float]
    tolerance: float
    confidence: float
    seed: int


def compare(
    a: Run | Sequence[Run],
    b: Run | Sequence[Run],
    *,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    percentiles: Sequence[float] = (50, 90, 95, 99),
    seed: int = 0,
) -> Comparison:
    """Compare the response times of two load tests, percentile by percentile.

    Guarantees: the same results and seed give the same comparison. The confidence intervals hold together: at a
    confidence of 95 %, about one comparison in twenty at most calls slower what is not (Bonferroni).

    Cost: about a second for runs of many distinct times.

    Args:
        a: The runs before: a LoadResult, a file of one, or a list of them.
        b: The runs after.
        tolerance: The relative change that does not matter, 0.001 to 1.
        confidence: With which all intervals hold together, 0.5 to 0.99.
        percentiles: Above 0 and below 100, 1 to 16 of them.
        seed: Of the resampling.

    Raises:
        ConfigError: An option is out of range, or a side is not of load tests.

    Source: bootstrap by blocks of time (Efron and Tibshirani, 1993); equivalence by inclusion of the interval
    (Westlake, 1981).
    """
    tolerance = _checks.number("tolerance", tolerance, low=0.001, high=1, unit="of the time", way_out="0.05 is 5 %")
    confidence = _checks.number("confidence", confidence, low=0.5, high=0.99, unit="of cases", way_out="0.95 is 95 %")
    levels = _levels(percentiles)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed must be a whole number, not negative, got {seed!r}; 0 is the default")
    before, after = read_side("a", a), read_side("b", b)
    errors = _error_share(before), _error_share(after)
    return Comparison(
        differences=_differences(before, after, _Question(levels, tolerance, confidence, seed)),
        errors=errors,
        doubts=_doubts(before, after, errors),
        tolerance=tolerance,
        confidence=confidence,
    )


def _levels(percentiles: Sequence[float]) -> list[float]:
    levels = sorted(set(percentiles))
    if not 1 <= len(levels) <= 16 or not all(0 < level < 100 for level in levels):
        raise ConfigError(
            f"percentiles must be 1 to 16 numbers above 0 and below 100, got {list(percentiles)!r}; "
            "for example [50, 90, 99]"
        )
    return [float(level) for level in levels]


def _differences(before: list[Sample], after: list[Sample], question: _Question) -> tuple[Difference, ...]:
    # A run in which nothing ended has no block to draw, and takes no part.
    sides = [[run.blocks for run in side if run.blocks] for side in (before, after)]
    if not all(sides):
        nan = math.nan
        return tuple(Difference(p, nan, nan, nan, nan, nan, "cannot tell", "nothing ended") for p in question.levels)
    counts, levels = [Counts.of(side) for side in sides], np.array(question.levels)
    lows, highs = _intervals(counts, levels, question)
    a, b = (side.percentiles(levels).tolist() for side in counts)
    found = []
    for i, p in enumerate(question.levels):
        reason = _too_few(p, counts)
        word: Word = "cannot tell" if reason else _judge(lows[i], highs[i], question.tolerance)
        found.append(Difference(p, a[i], b[i], b[i] / a[i] - 1, lows[i], highs[i], word, reason))
    return tuple(found)


def _intervals(counts: list[Counts], levels: npt.NDArray[np.float64], question: _Question) -> list[list[float]]:
    rng, alpha = np.random.default_rng(question.seed), (1 - question.confidence) / len(levels)
    # At least ten resamples lie beyond each end of an interval.
    times = max(2000, math.ceil(20 / alpha))
    drawn = [side.resample(levels, times, rng) for side in counts]
    ends: list[list[float]] = np.quantile(drawn[1] / drawn[0] - 1, [alpha / 2, 1 - alpha / 2], axis=0).tolist()
    return ends


def _judge(low: float, high: float, tolerance: float) -> Word:
    if low > tolerance:
        return "slower"
    # Twice as fast undoes twice as slow: the same step in both directions.
    if high < 1 / (1 + tolerance) - 1:
        return "faster"
    return "same" if low >= 1 / (1 + tolerance) - 1 and high <= tolerance else "cannot tell"


def _too_few(percentile: float, counts: list[Counts]) -> str:
    blocks, total = min(side.blocks for side in counts), min(side.total for side in counts)
    if blocks < _FEWEST_BLOCKS:
        return f"{blocks} blocks of time, {_FEWEST_BLOCKS} are needed; run for longer"
    # The rarer side of the percentile is what its spread depends on.
    needed = math.ceil(round(_FEWEST_BEYOND / min(1 - percentile / 100, percentile / 100), 6))
    return f"{total:,} requests, {needed:,} are needed" if total < needed else ""


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
    return tuple(told)
