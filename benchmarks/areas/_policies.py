"""Our guards around a callee, each shown to do its work first and counting the calls that it is timed with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import seawall as sw
from benchmarks._case import Probe, WrongAnswer, exhaust, is_false
from benchmarks.versus._guards import (
    ANSWER,
    ATTEMPTS,
    Failing,
    admits_one,
    behind,
    guarded,
    opens,
    tries_again,
)
from seawall.clock import ManualClock
from seawall.errors import BulkheadFull, CircuitOpen, TimeoutExceeded
from seawall.guard.breaker import CircuitBreaker

LONG = 100 * 86_400.0


def breaker(is_async: bool) -> Probe:
    """Closed: a permit, two readings of the clock, a success in the window."""
    opens(CircuitBreaker(consecutive=3, open_for=3600), 3, CircuitOpen, is_async)
    guard = CircuitBreaker()
    return guarded(guard, is_async, lambda: guard.stats().successes)


def breaker_refuses() -> Probe:
    """Forced open: a refusal as a value."""
    guard = CircuitBreaker()
    if not guard.try_enter():
        raise WrongAnswer("a closed breaker refused")
    guard.force_open()
    return Probe("guard.try_enter()", {"guard": guard}, is_false, lambda: guard.stats().refused)


def retry(is_async: bool) -> Probe:
    """The first attempt succeeds."""
    tries_again(sw.Retry(ATTEMPTS, backoff=0), is_async)
    guard = sw.Retry(ATTEMPTS)
    return guarded(guard, is_async, lambda: guard.stats().attempts)


def retry_with_budget(is_async: bool) -> Probe:
    """The first attempt succeeds and pays into a budget."""
    tries_again(sw.Retry(ATTEMPTS, backoff=0, budget=sw.RetryBudget()), is_async)
    guard = sw.Retry(ATTEMPTS, budget=sw.RetryBudget())
    return guarded(guard, is_async, lambda: guard.stats().attempts)


def bulkhead(is_async: bool) -> Probe:
    """A place is free."""
    admits_one(sw.Bulkhead(1), BulkheadFull, is_async)
    guard = sw.Bulkhead(10)
    return guarded(guard, is_async, lambda: guard.stats().admitted)


def adaptive_limit(is_async: bool, samples: int = 1_000_000) -> Probe:
    """A place is free; of the calls that are timed, one in `samples` ends a window."""
    admits_one(sw.AdaptiveLimit(initial=1), BulkheadFull, is_async)
    guard = sw.AdaptiveLimit(min_samples=samples, window=0.001, max_limit=20)
    return guarded(guard, is_async, lambda: guard.stats().samples)


def fallback(is_async: bool) -> Probe:
    """The callee succeeds."""
    inside = Failing(1)
    call = behind(sw.Fallback("instead"), inside, is_async)
    if (answers := [call(), call()]) != ["instead", ANSWER]:
        raise WrongAnswer(f"a fallback answered {answers} for a failure and a success")
    guard = sw.Fallback("instead")
    return guarded(guard, is_async, lambda: guard.stats().passed)


def timeout(is_async: bool) -> Probe:
    """The callee is in time. A timeout keeps no count of such calls."""
    clock = ManualClock()
    late = behind(sw.Timeout(1, clock=clock), lambda: clock.advance(2), is_async)
    try:
        late()
    except TimeoutExceeded:
        return guarded(sw.Timeout(60), is_async)
    raise WrongAnswer("a timeout of a second let a call take two")


def limiter(is_async: bool) -> Probe:
    """A token is there."""
    small = sw.TokenBucket(1, per=LONG, burst=5)
    exhaust(small.try_acquire, 5)
    guard = sw.TokenBucket(1e9, burst=10_000_000)
    return guarded(guard, is_async, lambda: guard.stats().admitted)


def pipeline(is_async: bool) -> Probe:
    """Breaker, retry, limit and bulkhead around one callee; all of them counted every call."""
    tries_again(_four(sw.Retry(ATTEMPTS, backoff=0)), is_async)
    guard = _four(sw.Retry(ATTEMPTS))

    def counted() -> int:
        breaker, retry, limit, bulkhead = guard.stats().policies
        counts = (breaker.successes, retry.attempts, limit.admitted, bulkhead.admitted)
        if len(set(counts)) != 1:
            raise WrongAnswer(f"the policies of one pipeline counted {counts}")
        return counts[0]

    return guarded(guard, is_async, counted)


def _four(retry: sw.Retry) -> sw.Pipeline:
    return sw.Pipeline(CircuitBreaker(), retry, sw.TokenBucket(1e9, burst=10_000_000), sw.Bulkhead(10))


Made = Callable[[], Probe]


def plain(policy: Callable[[bool], Probe]) -> Made:
    """Around a plain function."""
    return partial(policy, False)


def awaited(policy: Callable[[bool], Probe]) -> Made:
    """Around a coroutine function."""
    return partial(policy, True)
