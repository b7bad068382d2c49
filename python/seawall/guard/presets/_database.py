"""For databases."""

from __future__ import annotations

from typing import Any

from seawall.clock import Clock
from seawall.errors import Kind, classify
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.bulkhead import Bulkhead
from seawall.guard.limits import TokenBucket
from seawall.guard.pipeline import Pipeline
from seawall.guard.presets._not_done import is_not_done
from seawall.guard.presets._parts import NO_FALLBACK, Part, assembled, chosen, named, outermost, part
from seawall.guard.retry import Exponential, Retry, RetryBudget
from seawall.guard.timeout import Timeout
from seawall.memory import Segment


def database(
    *,
    pool_size: Part = 10,
    timeout: Part = 2.0,
    attempts: Part = 3,
    idempotent: bool = False,
    rate: Part = None,
    breaker: Any = True,
    fallback: Any = NO_FALLBACK,
    name: str = "database",
    clock: Clock | None = None,
    shared: Segment | str | None = None,
) -> Pipeline:
    """Fallback > Retry > CircuitBreaker > TokenBucket > Bulkhead > Timeout, for a transaction.

    Guard the whole transaction, not a statement in it: only a transaction can be repeated. By default only what surely
    had no effect is (`is_not_done`: serialization failures, deadlocks, connections that were never made, refusals of
    our own guards), since a connection that is lost during COMMIT may have committed. `idempotent=True` says that doing
    it twice does no harm: then every error that classification calls transient or unavailable is. Timeouts never are:
    the statement may still run, and a second one would wait for the same lock.

    Units: seconds.

    Args:
        pool_size: Connections in the pool: so many transactions at once; four times as many wait, at most `timeout`.
        timeout: Time for each attempt. It cannot interrupt a driver that blocks: set its statement timeout, too.
        attempts: Attempts altogether, close together: a collision is over in milliseconds.
        idempotent: Whether doing it twice does no harm.
        rate: Transactions a second.
        breaker: True for the standard one, which opens at half of the calls failed, for 5 s.
        fallback: What is answered in place of a failure: as for Fallback.
        name: Name of the pipeline; its policies are called name.retry and so on.
        clock: Where time comes from.
        shared: A segment, or its name: all workers then share breaker, rate and retry budget.

    Every part takes a policy in place of its number, and None to leave it out.

    Example:
        >>> [policy.name for policy in database(attempts=None)]
        ['database.breaker', 'database.bulkhead', 'database.timeout']
    """
    common: dict[str, Any] = {"clock": clock, "shared": shared}

    def retry(number: Any) -> Retry:
        budget = RetryBudget(0.2, min_per_second=1.0, name=f"{named(name)}.budget", **common)
        return Retry(
            number, on=is_lost if idempotent else is_not_done, backoff=Exponential(0.02, 3.0, 1.0), max_time=5.0,
            budget=budget, name=f"{name}.retry", clock=clock,
        )  # fmt: skip

    def breaks() -> CircuitBreaker:
        return CircuitBreaker(f"{name}.breaker", min_calls=20, open_for=5.0, open_jitter=0.2, **common)

    def bulkhead(places: Any) -> Bulkhead:
        longest = timeout if isinstance(timeout, (int, float)) else 2.0
        return Bulkhead(places, max_queue=4 * places, max_wait=longest, name=f"{name}.bulkhead", clock=clock)

    return assembled(
        named(name),
        (
            outermost(fallback, name, clock),
            part(attempts, retry),
            chosen(breaker, breaks),
            part(rate, lambda calls: TokenBucket(calls, name=f"{name}.rate", **common)),
            part(pool_size, bulkhead),
            part(timeout, lambda seconds: Timeout(seconds, name=f"{name}.timeout", clock=clock)),
        ),
    )


def is_lost(error: Exception) -> bool:
    """Whether an idempotent transaction is worth repeating."""
    found = classify(error)
    return is_not_done(error) or (found.is_retryable and found.kind in (Kind.transient, Kind.unavailable))
