"""pyrate-limiter with a bucket in memory."""

from __future__ import annotations

from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate
from pyrate_limiter.limiter import SingleBucketFactory

from benchmarks._case import Probe, exhaust, is_false, is_true
from benchmarks.versus._kinds import Makers


def _limiter(limit: int) -> tuple[Limiter, InMemoryBucket]:
    bucket = InMemoryBucket([Rate(limit, Duration.DAY)])
    # Without its thread that forgets old calls, which would run beside the other cases.
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False)), bucket


def _admit() -> Probe:
    limiter, bucket = _limiter(1_000_000_000)
    return Probe("limiter.try_acquire('all', blocking=False)", {"limiter": limiter}, is_true, reset=bucket.flush)


def _refuse() -> Probe:
    limiter, _ = _limiter(5)
    exhaust(lambda: limiter.try_acquire("all", blocking=False), 5)
    return Probe("limiter.try_acquire('all', blocking=False)", {"limiter": limiter}, is_false)


def admitted() -> Makers:
    """A call let through."""
    return {"log in memory": _admit}


def refused() -> Makers:
    """A call refused."""
    return {"log in memory": _refuse}
