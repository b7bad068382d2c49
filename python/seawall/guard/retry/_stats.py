"""What a retry has done so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryStats:
    """Counts of one retry, in this process.

    Args:
        name: The retry.
        calls: Calls that came in.
        attempts: Attempts for them, first ones and retries.
        retries: Retries begun, those cancelled during their wait included.
        recovered: Calls that succeeded after retries.
        gave_up: Calls whose last attempt failed with an error worth a retry, or that failed after retries.
        refused_by_budget: Of those, calls that the budget had no retry for.
        stood_back: Calls inside another retry, which made one attempt.
        shadow: Whether retries are only counted.
        not_made: Retries that were counted and not made: shadow, or outside the enforced share.
    """

    name: str
    calls: int
    attempts: int
    retries: int
    recovered: int
    gave_up: int
    refused_by_budget: int
    stood_back: int
    shadow: bool
    not_made: int
