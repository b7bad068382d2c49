"""How a step of a capacity search came out: whose fault it was when it did not pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seawall.measure._histogram import Histogram
from seawall.measure.load._failures import OWN_FAULT
from seawall.measure.load._thresholds import OPERATORS, Threshold
from seawall.measure.load.capacity._search import Outcome
from seawall.measure.load.result._judge import judge
from seawall.measure.load.result._result import LoadResult

# Response times that grow by this share of the time that passes show a backlog that grows.
_GROWTH = 0.01
# Smaller growth, in seconds, is what timers and neighbours do.
_LEAST_GROWTH = 0.005
_FEWEST = 8
_HELD_BACK = 0.01
# A target whose own time has at least so many times grown is the one that slows.
_SLOWED = 2.0


@dataclass(frozen=True, slots=True)
class CapacityStep:
    """A step of a capacity search.

    Args:
        rate: Requests a second.
        outcome: passed, failed, held back (the generator was the bottleneck) or unreached (nothing got through).
        reason: Why it did not pass.
        result: What was measured.
    """

    rate: float
    outcome: Outcome
    reason: str
    result: LoadResult


def judge_step(result: LoadResult, thresholds: tuple[Threshold, ...], usual: float | None) -> tuple[Outcome, str]:
    """Decide how a step came out, and why.

    The generator's own delay only adds to response times, so what passes passes; what fails by more than that delay can
    have added is the target's failure, too.

    Args:
        result: What was measured, thresholds evaluated.
        thresholds: Those of the step.
        usual: Median service time of steps that passed, in seconds; None before the first.
    """
    if result.unreachable:
        return "unreached", f"nothing could be reached: {result.first_error}"
    waited = result.dropped > 0 or result.late > _HELD_BACK * result.sent
    why = _shortfalls(result, thresholds)
    if not why:
        return "passed", ""
    own = judge(
        response_time=result.response_time,
        schedule_error=result.schedule_error,
        outcomes=result.outcomes,
        sent=result.sent,
        late=0,
        dropped=0,
    )
    if not own.valid and (result.outcomes.get(OWN_FAULT) or not _fails_anyhow(result, thresholds)):
        return "held back", "; ".join(own.reasons)
    if waited and not _target_slow(result, thresholds, usual):
        return "held back", f"max_concurrency was reached and {result.late:,} requests started late; raise it"
    return "failed", "; ".join(why)


def backlog_growth(result: LoadResult) -> float:
    """By how many seconds the median response time grew from the first quarter of the plan to the last; 0 if little.

    A target that is asked for more than it can do answers each request later than the one before, however generous the
    thresholds are: growth above 1 % of the time between is a rate more than 1 % above what it can keep up with.
    """
    blocks = result.blocks
    if result.interrupted or len(blocks) < 2:
        return 0.0
    size = max(len(blocks) // 4, 1)
    first, last = blocks[:size], blocks[-size:]
    before, after = _merged([one.histogram for one in first]), _merged([one.histogram for one in last])
    if min(before.count, after.count) < _FEWEST:
        return 0.0
    growth = float(after.percentile(50.0) - before.percentile(50.0))
    return growth if growth > max(_GROWTH * (last[0].start - first[0].start), _LEAST_GROWTH) else 0.0


def _shortfalls(result: LoadResult, thresholds: tuple[Threshold, ...]) -> list[str]:
    pairs = zip(thresholds, result.thresholds, strict=True)
    why = [f"{one.text}: {one.show(outcome.measured)}" for one, outcome in pairs if not outcome.passed]
    if growth := backlog_growth(result):
        why.append(f"response times grew by {growth * 1e3:,.0f} ms during the step")
    if result.dropped:
        why.append(f"{result.dropped:,} of {result.planned:,} requests were never sent")
    return why


def _fails_anyhow(result: LoadResult, thresholds: tuple[Threshold, ...]) -> bool:
    """Whether the step fails even if everything that the generator's delay can have added is taken off."""
    own = result.schedule_error
    # A generator that comes late to send comes as late to read.
    added = 2.0 * float(own.percentile(99.0)) if own.count else 0.0
    if backlog_growth(result) > added:
        return True
    for one, outcome in zip(thresholds, result.thresholds, strict=True):
        if outcome.passed or outcome.measured is None:
            continue
        if one.metric == "errors" or (one.is_time and not OPERATORS[one.operator](outcome.measured - added, one.limit)):
            return True
    return False


def _target_slow(result: LoadResult, thresholds: tuple[Threshold, ...], usual: float | None) -> bool:
    # Places run out where requests stay long (Little's law): the target's doing if they stay longer than usual, or
    # longer than allowed even without the wait for a place.
    alone = replace(result, response_time=result.service_time)
    if any(not one.evaluate(alone).passed for one in thresholds):
        return True
    median = result.service_time.percentile(50.0) if result.service_time.count else 0.0
    return usual is not None and median >= _SLOWED * usual


def _merged(parts: list[Histogram]) -> Histogram:
    whole = Histogram(highest=parts[0].highest)
    for part in parts:
        whole.merge(part)
    return whole
