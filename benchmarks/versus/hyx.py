"""hyx: coroutines only; a refusal is an exception, so only admissions compare."""

from __future__ import annotations

from hyx.ratelimit import TokenBucketLimiter
from hyx.ratelimit.exceptions import RateLimitExceeded

from benchmarks._case import Probe, WrongAnswer, is_none
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


def admitted() -> Makers:
    """A call let through."""
    return {"await acquire": _admit}
