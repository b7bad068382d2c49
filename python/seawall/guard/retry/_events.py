"""What a retry says happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seawall.errors import RetryBudgetExhausted


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed, and another one follows.

    Args:
        name: The retry.
        attempt: The attempt that failed, from 1.
        wait: Seconds until the next.
        error: What it raised; None when its result was not good enough.
        result: That result.
    """

    name: str
    attempt: int
    wait: float
    error: Exception | None
    result: Any = None


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The last attempt failed, too, or no other could be made.

    Args:
        name: The retry.
        attempts: How many attempts were made.
        elapsed: Seconds since the first began.
        error: What the last one raised; None when its result was not good enough.
        reason: Why no other was made; empty when all attempts were used up.
        refusal: The budget's refusal, when that is why.
    """

    name: str
    attempts: int
    elapsed: float
    error: Exception | None
    reason: str
    refusal: RetryBudgetExhausted | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """A call succeeded after retries.

    Args:
        name: The retry.
        attempts: How many attempts it took.
        elapsed: Seconds since the first began.
    """

    name: str
    attempts: int
    elapsed: float
