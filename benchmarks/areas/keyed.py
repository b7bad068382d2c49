"""A limit for each of 100,000 live keys, and batches of 10,000 keys."""

from __future__ import annotations

import numpy

import seawall as sw
from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer, exhaust
from benchmarks.versus import rivals
from benchmarks.versus._kinds import KEYS
from seawall.guard.limits import Keyed

# A used token takes a second to come back, so every key stays live for the run.
BURST = 200_000_000
BATCH = 10_000
LONGER = 10
# Several times round the keys, so that after the tables of others the table is as in steady use for most of a batch.
ROUNDS = 60


def _table() -> Keyed:
    return sw.TokenBucket(1, burst=BURST).keyed(max_keys=len(KEYS))


def _each_for_itself() -> None:
    table = sw.TokenBucket(1, per=86_400, burst=5).keyed(max_keys=1_000)
    for key in KEYS[:1_000]:
        exhaust(lambda key=key: table.try_acquire(key), 5)


def by_key() -> Probe:
    """Every key is admitted from its own entry."""
    _each_for_itself()
    table = _table()
    for key in KEYS:
        table.try_acquire(key)
    stats = table.stats()
    if (stats.live, stats.overflowed) != (len(KEYS), 0):
        raise WrongAnswer(f"{len(KEYS)} keys were used, {stats.live} are live, {stats.overflowed} found no room")
    return Probe(
        "table.try_acquire(x)",
        {"table": table},
        lambda value: value is True,
        lambda: table.stats().admitted,
        over=KEYS,
    )


def refused_by_key() -> Probe:
    """Every key is used up."""
    table = sw.TokenBucket(1, per=100 * 86_400, burst=1).keyed(max_keys=len(KEYS))
    if not all(table.try_acquire(key) for key in KEYS):
        raise WrongAnswer("a fresh key was refused")
    return Probe(
        "table.try_acquire(x)",
        {"table": table},
        lambda value: value is False,
        lambda: table.stats().refused,
        over=KEYS,
    )


def _batch(keys: object) -> Probe:
    table = _table()
    return Probe(
        "table.try_acquire_many(keys)",
        {"table": table, "keys": keys},
        lambda value: isinstance(value, numpy.ndarray) and value.shape == (BATCH,) and bool(value.all()),
        lambda: table.stats().admitted,
        step=BATCH,
        per=BATCH,
    )


def batch_of_int() -> Probe:
    """Distinct numbers in an int64 array."""
    return _batch(numpy.random.default_rng(1).permutation(BATCH).astype(numpy.int64))


def batch_of_str() -> Probe:
    """Distinct names in a list."""
    return _batch(KEYS[:BATCH])


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    one, batch = "one of 100,000 str keys", "10,000 keys at once, each"
    return [
        Case(one, OURS, "try_acquire, admitted", by_key, Target(2.5), longer=ROUNDS),
        Case(one, OURS, "try_acquire, refused", refused_by_key, Target(2.5), longer=ROUNDS),
        Case(batch, OURS, "try_acquire_many of int64", batch_of_int, Target(25, "ns"), longer=ROUNDS),
        Case(batch, OURS, "try_acquire_many of str", batch_of_str, Target(60, "ns"), longer=ROUNDS),
        *rivals({"keyed": one}, longer=LONGER),
    ]
