"""Thresholds that a run under way can no longer keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seawall.measure._histogram import Histogram
from seawall.measure.load._thresholds import OPERATORS, Threshold


@dataclass(frozen=True, slots=True)
class SoFar:
    """What can only grow.

    Args:
        errors: Requests that ended without success.
        late: Requests that waited for a place.
        slowest: The longest response time, in seconds.
        times: All response times; None where they were not looked at.
    """

    errors: int
    late: int
    slowest: float
    times: Histogram | None = None


def first_lost(thresholds: Iterable[Threshold], so_far: SoFar, most: int | None) -> str | None:
    """The first threshold that fails whatever the rest of the run brings; None while there is hope for all.

    Lost early can be an upper limit of errors, late and max; of a percentile, once more requests were above it than the
    whole run may have; and of the mean, once the sum so far is more than all requests together may take. A rate may
    recover, and what is dropped shows at the end. Nor is the limit of one phase or scenario ever lost early.

    Args:
        thresholds: What the run must keep.
        so_far: What has happened.
        most: How many requests the whole run can have; None where chance decides, and then no share is certain.
    """
    return next((one.text for one in thresholds if _is_lost(one, so_far, most)), None)


def _is_lost(threshold: Threshold, so_far: SoFar, most: int | None) -> bool:
    if threshold.operator not in ("<", "<=") or threshold.part is not None:
        return False
    if threshold.percentile is not None or threshold.metric == "mean":
        return so_far.times is not None and most is not None and _times_lost(threshold, so_far.times, most)
    grown = {"errors": so_far.errors, "late": so_far.late, "max": so_far.slowest}.get(threshold.metric)
    if grown is None:
        return False
    if threshold.unit == "%":
        if not most:
            return False
        # Even if everything that is left goes well, the share cannot fall below this.
        grown = grown / most
    return not OPERATORS[threshold.operator](grown, threshold.limit)


def _times_lost(threshold: Threshold, times: Histogram, most: int) -> bool:
    if threshold.percentile is None:
        return times.sum > threshold.limit * most
    # Whole buckets above the limit only, so that no rounding of a bucket calls a run lost that is not.
    above = int(times.counts()[int(np.searchsorted(times.edges()[:-1], threshold.limit, side="right")) :].sum())
    return above > most * (1 - threshold.percentile / 100)
