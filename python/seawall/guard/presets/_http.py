"""For services that are called over HTTP."""

from __future__ import annotations

from typing import Any

from seawall.clock import Clock
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.bulkhead import Bulkhead
from seawall.guard.limits import TokenBucket
from seawall.guard.pipeline import Pipeline
from seawall.guard.presets._parts import NO_FALLBACK, Part, assembled, chosen, named, outermost, part
from seawall.guard.retry import Exponential, Retry, RetryBudget
from seawall.guard.timeout import Timeout
from seawall.memory import Segment


def http(
    *,
    attempts: Part = 3,
    timeout: Part = 10.0,
    rate: Part = None,
    max_concurrent: Part = 50,
    breaker: Any = True,
    slow_after: float | None = 5.0,
    max_time: float = 60.0,
    fallback: Any = NO_FALLBACK,
    name: str = "http",
    clock: Clock | None = None,
    shared: Segment | str | None = None,
) -> Pipeline:
    """Fallback > Retry > CircuitBreaker > TokenBucket > Bulkhead > Timeout, for calls over HTTP.

    Retries what classification finds worth it (lost connections, timeouts, 408, 429, 502, 503, 504), waits as long as
    Retry-After asks, varies its waits fully, and spends at most a fifth of the calls on repeats. It cannot know whether
    a call is safe to repeat: for one that is not (POST without an idempotency key) give `attempts=1`, or a Retry whose
    `on=` says which errors come before any effect. The callee must raise for statuses (`raise_for_status()`).

    Units: seconds.

    Args:
        attempts: Attempts altogether.
        timeout: Time for each attempt, not for all of them: that is a Deadline's.
        rate: Calls a second, attempts counted one by one.
        max_concurrent: Attempts in flight at once; as many wait, each at most 5 s.
        breaker: True for the standard one, which opens at half of the calls failed or slow.
        slow_after: From when a call counts as slow; None: none does.
        max_time: No attempt begins later than this.
        fallback: What is answered in place of a failure: as for Fallback.
        name: Name of the pipeline; its policies are called name.retry and so on.
        clock: Where time comes from.
        shared: A segment, or its name: all workers then share breaker, rate and retry budget.

    Every part takes a policy in place of its number, and None to leave it out.

    Example:
        >>> [policy.name for policy in http(rate=100)]
        ['http.retry', 'http.breaker', 'http.rate', 'http.bulkhead', 'http.timeout']
    """
    common: dict[str, Any] = {"clock": clock, "shared": shared}

    def retry(number: Any) -> Retry:
        budget = RetryBudget(0.2, min_per_second=1.0, name=f"{named(name)}.budget", **common)
        return Retry(
            number, backoff=Exponential(0.2, 2.0, 10.0), max_time=max_time, budget=budget, name=f"{name}.retry",
            clock=clock,
        )  # fmt: skip

    def breaks() -> CircuitBreaker:
        return CircuitBreaker(f"{name}.breaker", min_calls=20, slow_after=slow_after, open_jitter=0.2, **common)

    def bulkhead(places: Any) -> Bulkhead:
        return Bulkhead(places, max_queue=places, max_wait=5.0, name=f"{name}.bulkhead", clock=clock)

    return assembled(
        named(name),
        (
            outermost(fallback, name, clock),
            part(attempts, retry),
            chosen(breaker, breaks),
            part(rate, lambda calls: TokenBucket(calls, name=f"{name}.rate", **common)),
            part(max_concurrent, bulkhead),
            part(timeout, lambda seconds: Timeout(seconds, name=f"{name}.timeout", clock=clock)),
        ),
    )
