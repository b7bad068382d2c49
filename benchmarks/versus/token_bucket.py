"""token-bucket with storage in memory."""

from __future__ import annotations

from token_bucket import Limiter, MemoryStorage

from benchmarks._case import Probe, exhaust, is_false, is_true
from benchmarks.versus._kinds import KEYS, Makers

MANY = 1_000_000_000


def _admit() -> Probe:
    return Probe("limiter.consume('all')", {"limiter": Limiter(MANY, MANY, MemoryStorage())}, is_true)


def _refuse() -> Probe:
    limiter = Limiter(1e-6, 5, MemoryStorage())
    exhaust(lambda: limiter.consume("all"), 5)
    return Probe("limiter.consume('all')", {"limiter": limiter}, is_false)


def _by_key() -> Probe:
    limiter = Limiter(1, MANY, MemoryStorage())
    for key in KEYS:
        limiter.consume(key)
    return Probe("limiter.consume(x)", {"limiter": limiter}, is_true, over=KEYS)


def admitted() -> Makers:
    """A call let through."""
    return {"consume": _admit}


def refused() -> Makers:
    """A call refused."""
    return {"consume": _refuse}


def keyed() -> Makers:
    """A call let through for one of many keys."""
    return {"consume": _by_key}
