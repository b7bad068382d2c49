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
    """A limit at the edge, and a pipeline each around what an answer needs and what it can do without."""

    edge: sw.TokenBucket
    card: Pipeline
    points: Pipeline


def guards(settings: Settings, tell: Teller) -> Guards:
    """The guards of one run; what they do is told."""
    breaker = sw.CircuitBreaker(
        "payments",
        failure_ratio=0.5,  # half of at least 10 calls within 0.4 s
        min_calls=10,
        window=sw.Seconds(0.4),
        open_for=0.2,
        probes=2,
        recovery=sw.Ramp(over=0.2, start=0.3),
        failure_if=lambda outcome: isinstance(outcome, (PaymentsFailed, TimeoutError, OSError)),
    )
    bulkhead = sw.Bulkhead(
        settings.workers + 1,  # enough to keep all workers busy: the line is here, where it has an end
        max_queue=16,
        max_wait=settings.patience / 2,
        name="payments",
    )
    retry = sw.Retry(
        3,
        on=(PaymentsFailed, sw.TimeoutExceeded),  # checking a card twice does no harm; refusals are not repeated
        backoff=sw.Exponential(0.02, cap=0.1),
        budget=sw.RetryBudget(0.2, min_per_second=5, window=1.0),  # at most a fifth more calls
        seed=settings.seed,
    )
    # Below what payments can do on a good day. Not in a pipeline, where a limit lets calls wait their turn.
    edge = sw.TokenBucket(settings.limit, burst=settings.burst)
    timeout = sw.Timeout(settings.patience / 2)  # ten times the usual
    points = sw.Fallback(None, on=(PaymentsFailed, TimeoutError, OSError), name="points")
    _tell_of(tell, breaker=breaker, bulkhead=bulkhead, retry=retry, timeout=timeout, points=points)
    return Guards(
        edge,
        Pipeline(retry, breaker, bulkhead, timeout, name="card"),
        Pipeline(points, sw.Timeout(0.05), name="points"),
    )


def _tell_of(
    tell: Teller,
    *,
    breaker: sw.CircuitBreaker,
    bulkhead: sw.Bulkhead,
    retry: sw.Retry,
    timeout: sw.Timeout,
    points: sw.Fallback,
) -> None:
    breaker.state_changed.connect(
        lambda event: tell.event(f"breaker {event.after.replace('_', ' ')}", f"was {event.before.replace('_', ' ')}")
    )
    bulkhead.refused.connect(lambda event: tell.often("bulkhead full", f"{event.in_flight} calls in flight"))
    retry.gave_up.connect(lambda event: tell.often("retry budget spent") if event.refusal is not None else None)
    timeout.timed_out.connect(lambda event: tell.often("timeout", f"after {event.after:g} s"))
    points.fell_back.connect(lambda _event: tell.often("fallback", "answered without points"))
