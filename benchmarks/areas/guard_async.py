"""Policies around a coroutine function: what awaiting it costs above awaiting the bare function."""

from __future__ import annotations

from benchmarks._case import OURS, Case, Missing, Probe, Target
from benchmarks.areas import _policies as policies
from benchmarks.areas._policies import awaited
from benchmarks.versus import rivals
from benchmarks.versus._guards import callee_async, is_answer


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    breaker, retry, bulkhead, limit, other, four = (
        f"{what}, above the bare callee"
        for what in (
            "circuit breaker, closed",
            "retry, the first attempt succeeds",
            "bulkhead, a place is free",
            "token bucket",
            "other policies",
            "breaker, retry, limit and bulkhead in one",
        )
    )
    jobs = {"breaker_async": breaker, "retry_async": retry, "bulkhead_async": bulkhead, "composed_async": four}
    bare = Probe("await callee()", {"callee": callee_async}, is_answer)
    return [
        Case("nothing", "python", "the callee", lambda: bare),
        Case(breaker, OURS, "CircuitBreaker", awaited(policies.breaker)),
        Case(retry, OURS, "Retry", awaited(policies.retry)),
        Case(retry, OURS, "Retry with a RetryBudget", awaited(policies.retry_with_budget)),
        Case(bulkhead, OURS, "Bulkhead", awaited(policies.bulkhead)),
        Case(limit, OURS, "TokenBucket", awaited(policies.limiter)),
        Case(other, OURS, "Fallback", awaited(policies.fallback)),
        Case(other, OURS, "Timeout", awaited(policies.timeout)),
        Case(four, OURS, "Pipeline", awaited(policies.pipeline), Target(5)),
        *rivals(jobs),
    ]
