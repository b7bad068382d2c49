"""Thresholds that a run under way can no longer keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seawall.measure.load._thresholds import OPERATORS, Threshold


@dataclass(frozen=True, slots=True)
class SoFar:
    """What can only grow.

    Args:
        errors: Requests that ended without success.
        late: Requests that waited for a place.
        slowest: The longest response time, in seconds.
    """

    errors: int
    late: int
    slowest: float


def first_lost(thresholds: Iterable[Threshold], so_far: SoFar, most: int | None) -> str | None:
    """The first threshold that fails whatever the rest of the run brings; None while there is hope for all.

    Only upper limits of errors, late and max can be lost early: a rate, a mean or a percentile may recover, and what is
    dropped shows at the end.

    Args:
        thresholds: What the run must keep.
        so_far: What has happened.
        most: How many requests the whole run can have; None where chance decides, and then no share is certain.
    """
    return next((one.text for one in thresholds if _is_lost(one, so_far, most)), None)


def _is_lost(threshold: Threshold, so_far: SoFar, most: int | None) -> bool:
    if threshold.operator not in ("<", "<="):
        return False
    grown = {"errors": so_far.errors, "late": so_far.late, "max": so_far.slowest}.get(threshold.metric)
    if grown is None:
        return False
    if threshold.unit == "%":
        if not most:
            return False
        # Even if everything that is left goes well, the share cannot fall below this.
        grown = grown / most
    return not OPERATORS[threshold.operator](grown, threshold.limit)
