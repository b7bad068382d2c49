"""hyx: coroutines only; a refusal is an exception, so only admissions compare."""

from __future__ import annotations

from hyx.bulkhead import bulkhead as hyx_bulkhead
from hyx.bulkhead.exceptions import BulkheadFull
from hyx.circuitbreaker import consecutive_breaker
from hyx.circuitbreaker.exceptions import BreakerFailing
from hyx.ratelimit import TokenBucketLimiter
from hyx.ratelimit.exceptions import RateLimitExceeded
from hyx.retry import retry as hyx_retry

from benchmarks._case import Probe, WrongAnswer, is_none
from benchmarks.versus._guards import ATTEMPTS, admits_one, guarded, opens, tries_again
from benchmarks.versus._kinds import Makers


async def _admit() -> Probe:
    small = TokenBucketLimiter(5, 86_400, 5)
    for _ in range(5):
        await small.acquire()
    try:
        await small.acquire()
    except RateLimitExceeded:
        return Probe(
            "await limiter.acquire()", {"limiter": TokenBucketLimiter(1_000_000_000, 1, 1_000_000_000)}, is_none
        )
    raise WrongAnswer("a limit of 5 admitted 6")


def _breaker() -> Probe:
    opens(consecutive_breaker(failure_threshold=3), 3, BreakerFailing, True)
    return guarded(consecutive_breaker(), True)


def _retry() -> Probe:
    # It counts retries, the first attempt not among them.
    tries_again(hyx_retry(on=ConnectionError, attempts=ATTEMPTS - 1, backoff=0), True)
    return guarded(hyx_retry(on=ConnectionError, attempts=ATTEMPTS - 1), True)


def _bulkhead() -> Probe:
    admits_one(hyx_bulkhead(1, 1), BulkheadFull, True)
    return guarded(hyx_bulkhead(10, 10), True)


def admitted() -> Makers:
    """A call let through."""
    return {"await acquire": _admit}


def breaker_async() -> Makers:
    """Closed, around a coroutine function."""
    return {"consecutive_breaker": _breaker}


def retry_async() -> Makers:
    """The first attempt succeeds."""
    return {"retry": _retry}


def bulkhead_async() -> Makers:
    """A place is free."""
    return {"bulkhead": _bulkhead}
