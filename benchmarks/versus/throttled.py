"""throttled-py with its store in memory: all its algorithms."""

from __future__ import annotations

from functools import partial

from throttled import MemoryStore, RateLimiterType, Throttled, per_day

from benchmarks._case import Probe, exhaust
from benchmarks.versus._kinds import KEYS, Makers

ALGORITHMS = {
    "fixed window": RateLimiterType.FIXED_WINDOW,
    "sliding window": RateLimiterType.SLIDING_WINDOW,
    "token bucket": RateLimiterType.TOKEN_BUCKET,
    "leaking bucket": RateLimiterType.LEAKING_BUCKET,
    "GCRA": RateLimiterType.GCRA,
}
MANY = 1_000_000_000


def _limiter(algorithm: RateLimiterType, limit: int, room: int = 1_024) -> Throttled:
    quota = per_day(limit, burst=limit)
    return Throttled(using=algorithm.value, quota=quota, store=MemoryStore(options={"MAX_SIZE": room}))


def _passes(result: object) -> bool:
    return not result.limited  # type: ignore[attr-defined]


def _is_limited(result: object) -> bool:
    return bool(result.limited)  # type: ignore[attr-defined]


def _admit(algorithm: RateLimiterType) -> Probe:
    return Probe("limiter.limit('all')", {"limiter": _limiter(algorithm, MANY)}, _passes)


def _refuse(algorithm: RateLimiterType) -> Probe:
    limiter = _limiter(algorithm, 5)
    exhaust(lambda: _passes(limiter.limit("all")), 5)
    return Probe("limiter.limit('all')", {"limiter": limiter}, _is_limited)


def _by_key() -> Probe:
    limiter = _limiter(RateLimiterType.GCRA, MANY, room=2 * len(KEYS))
    for key in KEYS:
        limiter.limit(key)
    return Probe("limiter.limit(x)", {"limiter": limiter}, _passes, over=KEYS)


def admitted() -> Makers:
    """A call let through."""
    return {name: partial(_admit, algorithm) for name, algorithm in ALGORITHMS.items()}


def refused() -> Makers:
    """A call refused."""
    return {name: partial(_refuse, algorithm) for name, algorithm in ALGORITHMS.items()}


def keyed() -> Makers:
    """A call let through for one of many keys."""
    return {"GCRA": _by_key}
