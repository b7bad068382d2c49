"""What a retry says about attempts that it does not make itself."""

from __future__ import annotations

from seawall.errors import RateLimited
from seawall.guard.retry import Exponential, Retry, RetryBudget


def test_it_says_how_long_to_wait():
    """By its backoff and the number of attempts so far; nothing is counted."""
    retry = Retry(3, on=OSError, backoff=Exponential(1.0, 2.0, 60.0), jitter="none")
    assert [retry.decide(OSError("x"), attempt=n) for n in (1, 2)] == [1.0, 2.0]
    assert retry.decide(OSError("x"), attempt=3) == "all 3 attempts are used up"
    assert retry.stats().attempts == 0


def test_it_says_why_not():
    """Another error, no time, no budget."""
    retry = Retry(9, on=OSError, backoff=10.0, jitter="none", max_time=15)
    assert retry.decide(ValueError("x")) == "this error is not retried"
    assert retry.decide(OSError("x"), elapsed=4.0) == 10.0
    assert retry.decide(OSError("x"), elapsed=6.0) == "a wait of 10 s would outlast max_time=15"
    poor = Retry(9, on=OSError, backoff=0.0, budget=RetryBudget(ratio=0.1, min_per_second=0, name="few"))
    assert poor.decide(OSError("x")) == "few has no retry left"


def test_it_waits_for_what_the_callee_asks():
    """As a call would."""
    retry = Retry(3, on=RateLimited, backoff=1.0, jitter="none")
    assert retry.decide(RateLimited("slow down", retry_after=7.0)) == 7.0
