"""For language models and other services that answer slowly and count calls."""

from __future__ import annotations

from typing import Any

from seawall.clock import Clock
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.bulkhead import Bulkhead
from seawall.guard.limits import TokenBucket
from seawall.guard.pipeline import Pipeline
from seawall.guard.presets._parts import NO_FALLBACK, Part, assembled, chosen, named, outermost, part
from seawall.guard.retry import Decorrelated, Retry, RetryBudget
from seawall.guard.timeout import Timeout
from seawall.memory import Segment


def llm(
    *,
    requests_per_minute: Part = None,
    attempts: Part = 6,
    timeout: Part = 120.0,
    max_concurrent: Part = 16,
    max_queue: int = 1000,
    max_time: float = 600.0,
    breaker: Any = True,
    fallback: Any = NO_FALLBACK,
    name: str = "llm",
    clock: Clock | None = None,
    shared: Segment | str | None = None,
) -> Pipeline:
    """Fallback > Retry > CircuitBreaker > TokenBucket > Bulkhead > Timeout, for language models.

    429 is what happens most: it is waited for as long as the service asks (Retry-After and its like, at most five
    minutes), else by decorrelated jitter up to a minute, and never counts for the breaker, since a service that says
    "too early" is well. 529 and 503 count. Calls may take long, so none is slow, and a queue takes what is above
    `max_concurrent`.

    Tokens per minute are not limited here: what a call costs is known to the callee alone, before or even after it.
    Inside it, `tokens.acquire(cost)` of a TokenBucket waits for so many.

    Units: seconds.

    Args:
        requests_per_minute: What the service allows, attempts counted one by one; a tenth of it may come at once.
        attempts: Attempts altogether.
        timeout: Time for each attempt.
        max_concurrent: Attempts in flight at once.
        max_queue: Attempts that wait for a place, for as long as the Deadline lets.
        max_time: No attempt begins later than this.
        breaker: True for the standard one, which opens at half of the calls failed, 429 left out.
        fallback: What is answered in place of a failure: as for Fallback.
        name: Name of the pipeline; its policies are called name.retry and so on.
        clock: Where time comes from.
        shared: A segment, or its name: all workers then share breaker, rate and retry budget.

    Every part takes a policy in place of its number, and None to leave it out.

    Example:
        >>> [policy.name for policy in llm(requests_per_minute=500, breaker=None)]
        ['llm.retry', 'llm.rate', 'llm.bulkhead', 'llm.timeout']
    """
    common: dict[str, Any] = {"clock": clock, "shared": shared}

    def retry(number: Any) -> Retry:
        budget = RetryBudget(0.5, min_per_second=1.0, window=60.0, name=f"{named(name)}.budget", **common)
        return Retry(
            number, backoff=Decorrelated(1.0, 60.0), max_time=max_time, max_retry_after=300.0, budget=budget,
            name=f"{name}.retry", clock=clock,
        )  # fmt: skip

    def breaks() -> CircuitBreaker:
        return CircuitBreaker(f"{name}.breaker", open_jitter=0.2, **common)

    def requests(number: Any) -> TokenBucket:
        burst = max(1, int(number) // 10)
        return TokenBucket(number, per=60.0, burst=burst, name=f"{name}.rate", **common)

    return assembled(
        named(name),
        (
            outermost(fallback, name, clock),
            part(attempts, retry),
            chosen(breaker, breaks),
            part(requests_per_minute, requests),
            part(
                max_concurrent,
                lambda places: Bulkhead(places, max_queue=max_queue, name=f"{name}.bulkhead", clock=clock),
            ),
            part(timeout, lambda seconds: Timeout(seconds, name=f"{name}.timeout", clock=clock)),
        ),
    )
