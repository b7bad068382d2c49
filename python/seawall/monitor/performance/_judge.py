"""Whether an operation is worse than its baseline, beyond noise. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from seawall.measure.load.comparison import t_quantile
from seawall.monitor.performance._interval import Interval

Figure = Literal["p50", "p95", "p99", "error_ratio"]
Word = Literal["worse", "same", "better", "cannot tell"]
FIGURES: tuple[Figure, ...] = ("p50", "p95", "p99", "error_ratio")
_FEWEST_BLOCKS = 5
_FEWEST_BEYOND = 5


class Bounds(NamedTuple):
    """What counts as worse.

    Attributes:
        block: Intervals that are judged together.
        tolerance: A relative change of a percentile that is let pass.
        error_tolerance: A change of the share of errors that is let pass.
        confidence: That a change is beyond it.
    """

    block: int
    tolerance: float
    error_tolerance: float
    confidence: float


class Change(NamedTuple):
    """A figure of an operation, beside its baseline.

    Attributes:
        operation: Its name.
        figure: Which; percentiles are in seconds.
        before: By the baseline.
        now: In the last intervals.
        change: Relative for percentiles, 0.2 being a fifth slower; a difference for shares of errors.
        low: The lower end of what it may be, with the confidence asked for.
        high: The upper end.
        verdict: "worse" and "better" lie beyond the tolerance as a whole.
        reason: Why nobody can tell.
    """

    operation: str
    figure: Figure
    before: float | None
    now: float | None
    change: float | None
    low: float | None
    high: float | None
    verdict: Word
    reason: str = ""

    def __str__(self) -> str:
        if self.before is None or self.now is None or self.change is None:
            return f"{self.operation} {self.figure}: {self.verdict}, {self.reason}"
        show = _percent if self.figure == "error_ratio" else _milliseconds
        how = f"{self.change:+.1%}, sure to be {self.low:+.1%} to {self.high:+.1%}"
        return f"{self.operation} {self.figure}: {self.verdict}, {show(self.before)} to {show(self.now)} ({how})"


def judge(name: str, baseline: Sequence[Interval], recent: Sequence[Interval], bounds: Bounds) -> list[Change]:
    """Every figure of the last block of intervals beside those of the baseline.

    The noise is that of blocks of the baseline: how much they differ among themselves, which also holds what swings
    from minute to minute. Beside a baseline of quiet hours only, a busy one is worse.
    """
    return [_of(name, figure, baseline, recent, bounds) for figure in FIGURES]


def _of(name: str, figure: Figure, baseline: Sequence[Interval], recent: Sequence[Interval], bounds: Bounds) -> Change:
    size = bounds.block
    blocks = [
        v for i in range(0, len(baseline) - size + 1, size) if (v := _value(figure, baseline[i : i + size])) is not None
    ]
    now = _value(figure, recent[-size:]) if len(recent) >= size else None
    reason = _lacking(figure, blocks, now, recent[-size:])
    if reason or now is None:
        return Change(name, figure, None, None, None, None, None, "cannot tell", reason)
    mean = math.fsum(blocks) / len(blocks)
    variance = math.fsum((each - mean) ** 2 for each in blocks) / (len(blocks) - 1) * (1 + 1 / len(blocks))
    if figure == "error_ratio":
        variance += _chance(recent[-size:])
    reach = t_quantile((1 + bounds.confidence) / 2, float(len(blocks) - 1)) * math.sqrt(variance)
    before, shown = (mean, now) if figure == "error_ratio" else (math.exp(mean), math.exp(now))
    ends = [now - mean, now - mean - reach, now - mean + reach]
    change, low, high = ends if figure == "error_ratio" else [math.expm1(end) for end in ends]
    tolerance = bounds.error_tolerance if figure == "error_ratio" else bounds.tolerance
    return Change(name, figure, before, shown, change, low, high, _word(low, high, tolerance, figure))


def _value(figure: Figure, block: Sequence[Interval]) -> float | None:
    """Of a block: the mean logarithm of a percentile, or the share of errors."""
    if figure == "error_ratio":
        calls = sum(each.calls for each in block)
        return sum(each.errors for each in block) / calls if calls else None
    logs = [math.log(max(value, 1e-9)) for each in block if (value := getattr(each, figure)) is not None]
    return math.fsum(logs) / len(logs) if logs else None


def _lacking(figure: Figure, blocks: Sequence[float], now: float | None, recent: Sequence[Interval]) -> str:
    """What there is too little of; empty where there is enough."""
    if len(blocks) < _FEWEST_BLOCKS:
        return f"{len(blocks)} blocks in the baseline, {_FEWEST_BLOCKS} are needed"
    if now is None:
        return "no calls lately"
    if figure == "error_ratio":
        return ""
    beyond = _FEWEST_BEYOND / (1 - float(figure.removeprefix("p")) / 100)
    seen = sum(each.calls - each.errors for each in recent)
    return "" if seen >= beyond else f"{seen} calls lately, {math.ceil(beyond)} are needed"


def _chance(block: Sequence[Interval]) -> float:
    """The variance of a share of errors that chance alone gives; not 0 where none was seen."""
    calls, errors = sum(each.calls for each in block), sum(each.errors for each in block)
    share = (errors + 0.5) / (calls + 1)
    return share * (1 - share) / calls


def _word(low: float, high: float, tolerance: float, figure: Figure) -> Word:
    # Twice as fast undoes twice as slow: the same step in both directions.
    better = -tolerance if figure == "error_ratio" else 1 / (1 + tolerance) - 1
    if low > tolerance:
        return "worse"
    if high < better:
        return "better"
    return "same" if low >= better and high <= tolerance else "cannot tell"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.4g} ms"


def _percent(share: float) -> str:
    return f"{share:.3%}"
