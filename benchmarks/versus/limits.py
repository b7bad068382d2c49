"""limits with storage in memory and in Valkey: three strategies."""

from __future__ import annotations

from functools import partial

from limits import RateLimitItemPerDay
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    RateLimiter,
    SlidingWindowCounterRateLimiter,
)

from benchmarks._case import Probe, exhaust, is_false, is_true
from benchmarks._scratch import scratch_valkey
from benchmarks.versus._kinds import KEYS, Makers

STRATEGIES: dict[str, type[RateLimiter]] = {
    "fixed window": FixedWindowRateLimiter,
    "moving window": MovingWindowRateLimiter,
    "sliding window": SlidingWindowCounterRateLimiter,
}
MANY = 1_000_000_000


def _admit(strategy: type[RateLimiter]) -> Probe:
    storage = MemoryStorage()
    names = {"limiter": strategy(storage), "item": RateLimitItemPerDay(MANY, 100)}
    # A moving window keeps every hit in a list.
    return Probe("limiter.hit(item, 'all')", names, is_true, reset=storage.reset)


def _refuse(strategy: type[RateLimiter]) -> Probe:
    limiter, item = strategy(MemoryStorage()), RateLimitItemPerDay(5, 100)
    exhaust(lambda: limiter.hit(item, "all"), 5)
    return Probe("limiter.hit(item, 'all')", {"limiter": limiter, "item": item}, is_false)


def _by_key() -> Probe:
    limiter, item = FixedWindowRateLimiter(MemoryStorage()), RateLimitItemPerDay(MANY, 100)
    for key in KEYS:
        limiter.hit(item, key)
    return Probe("limiter.hit(item, x)", {"limiter": limiter, "item": item}, is_true, over=KEYS)


def _over_valkey(strategy: type[RateLimiter]) -> Probe:
    storage = RedisStorage(scratch_valkey().tcp)
    names = {"limiter": strategy(storage), "item": RateLimitItemPerDay(MANY, 100), "key": strategy.__name__}
    return Probe("limiter.hit(item, key)", names, is_true, reset=storage.reset)


def admitted() -> Makers:
    """A call let through."""
    return {name: partial(_admit, strategy) for name, strategy in STRATEGIES.items()}


def refused() -> Makers:
    """A call refused."""
    return {name: partial(_refuse, strategy) for name, strategy in STRATEGIES.items()}


def over_valkey() -> Makers:
    """A call let through by a limit that lies in a server, over the loopback."""
    return {name: partial(_over_valkey, strategy) for name, strategy in STRATEGIES.items()}


def keyed() -> Makers:
    """A call let through for one of many keys."""
    return {"fixed window": _by_key}
