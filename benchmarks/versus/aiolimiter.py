"""aiolimiter: coroutines only. Awaiting it when it is full would wait, so a refusal is its `has_capacity`."""

from __future__ import annotations

from aiolimiter import AsyncLimiter

from benchmarks._case import Probe, WrongAnswer, is_false, is_none
from benchmarks.versus._kinds import Makers


async def _admit() -> Probe:
    return Probe("await limiter.acquire()", {"limiter": AsyncLimiter(1_000_000_000, 86_400)}, is_none)


async def _has_capacity(limiter: AsyncLimiter) -> bool:
    return limiter.has_capacity()


async def _refuse() -> Probe:
    limiter = AsyncLimiter(5, 86_400)
    for turn in range(5):
        if not limiter.has_capacity():
            raise WrongAnswer(f"a limit of 5 is full after {turn}")
        await limiter.acquire()
    # has_capacity asks the running loop for the time, so it is called from a coroutine of its own.
    return Probe("await ask(limiter)", {"limiter": limiter, "ask": _has_capacity}, is_false)


def admitted() -> Makers:
    """A call let through."""
    return {"await acquire": _admit}


def refused() -> Makers:
    """A look at a full limiter."""
    return {"has_capacity": _refuse}
