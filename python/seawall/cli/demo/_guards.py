"""The guards of the demo's shop, and why each is set as it is.

All times are short because a run is: in production a breaker stays open for half a minute, not for 0.2 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import seawall as sw
from seawall.cli.demo._settings import Settings
from seawall.cli.demo._telling import Teller
from seawall.guard import Pipeline


class PaymentsFailed(sw.SeawallError):
    """Payments answered that it failed."""


@dataclass(frozen=True, slots=True)
class Guards:
    """Two pipelines: around what an answer needs, and around what it can do without."""

    card: Pipeline
    points: Pipeline


def guards(settings: Settings, tell: Teller) -> Guards:
    """The guards of one run; what they do is told."""
    breaker = sw.CircuitBreaker(
        "payments",
        failure_ratio=0.5,  # half of at least 20 calls within half a second
        min_calls=20,
        window=sw.Seconds(0.5),
        open_for=0.2,
        probes=3,
        recovery=sw.Ramp(over=0.3, start=0.3),
        failure_if=lambda outcome: isinstance(outcome, (PaymentsFailed, TimeoutError, OSError)),
    )
    bulkhead = sw.Bulkhead(
        settings.workers * 2,  # enough to keep all workers busy, too few to make a long line
        max_queue=settings.workers * 4,
        max_wait=0.15,
        name="payments",
    )
    retry = sw.Retry(
        3,
        on=(PaymentsFailed, TimeoutError),  # checking a card twice does no harm; refusals are not repeated
        backoff=sw.Exponential(0.02, cap=0.1),
        max_time=0.25,
        budget=sw.RetryBudget(0.2, min_per_second=5, window=1.0),  # at most a fifth more calls
        seed=settings.seed,
    )
    # Outermost, so that what is refused costs nothing; below what payments can do on a good day.
    edge = sw.TokenBucket(settings.limit, burst=settings.burst)
    timeout = sw.Timeout(0.25)  # ten times the usual, half of a caller's patience
    points = sw.Fallback(None, name="points")
    _tell_of(breaker, bulkhead, retry, timeout, points, tell)
    return Guards(
        Pipeline(edge, retry, breaker, bulkhead, timeout, name="card"),
        Pipeline(points, sw.Timeout(0.05), name="points"),
    )


def _tell_of(
    breaker: sw.CircuitBreaker,
    bulkhead: sw.Bulkhead,
    retry: sw.Retry,
    timeout: sw.Timeout,
    points: sw.Fallback,
    tell: Teller,
) -> None:
    breaker.state_changed.connect(
        lambda event: tell.event(f"breaker {event.after.replace('_', ' ')}", f"was {event.before.replace('_', ' ')}")
    )
    bulkhead.refused.connect(lambda event: tell.often("bulkhead full", f"{event.in_flight} calls in flight"))
    retry.gave_up.connect(lambda event: tell.often("retry budget spent") if event.refusal is not None else None)
    timeout.timed_out.connect(lambda event: tell.often("timeout", f"after {event.after:g} s"))
    points.fell_back.connect(lambda event: tell.often("fallback", "answered without points"))
