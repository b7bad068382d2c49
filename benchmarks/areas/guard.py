"""Policies around a plain function: what a call of it costs altogether."""

from __future__ import annotations

from benchmarks._case import OURS, Case, Missing, Probe, Target
from benchmarks.areas import _policies as policies
from benchmarks.areas._policies import plain
from benchmarks.versus import rivals
from benchmarks.versus._guards import callee, is_answer


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    breaker, retry, bulkhead = (
        "circuit breaker, closed",
        "retry, the first attempt succeeds",
        "bulkhead, a place is free",
    )
    limit, other, four = "token bucket", "other policies", "breaker, retry, limit and bulkhead in one"
    return [
        Case("nothing", "python", "the callee", lambda: Probe("callee()", {"callee": callee}, is_answer)),
        Case(breaker, OURS, "CircuitBreaker", plain(policies.breaker), Target(3)),
        Case("circuit breaker, forced open", OURS, "try_enter", policies.breaker_refuses, Target(1.5)),
        Case(retry, OURS, "Retry", plain(policies.retry), Target(1.8)),
        Case(retry, OURS, "Retry with a RetryBudget", plain(policies.retry_with_budget)),
        Case(bulkhead, OURS, "Bulkhead", plain(policies.bulkhead), Target(2)),
        Case(limit, OURS, "TokenBucket", plain(policies.limiter)),
        Case(other, OURS, "Fallback", plain(policies.fallback)),
        Case(other, OURS, "Timeout", plain(policies.timeout)),
        Case(four, OURS, "Pipeline", plain(policies.pipeline), Target(6)),
        *rivals({"breaker": breaker, "retry": retry, "bulkhead": bulkhead, "composed": four}),
    ]
