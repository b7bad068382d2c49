"""jump-consistent-hash: the paper's function in C, for numbers; xxhash makes them of texts."""

from __future__ import annotations

import jump
import numpy
from xxhash import xxh64_intdigest

from benchmarks._case import Probe
from benchmarks.versus._kinds import KEYS, Makers

BUCKETS, BATCH = 100, 10_000


def _of_text() -> Probe:
    def bucket(key: str) -> int:
        return jump.hash(xxh64_intdigest(key.encode()), BUCKETS)

    return Probe("bucket(x)", {"bucket": bucket}, lambda value: value in range(BUCKETS), over=KEYS)


def _batch() -> Probe:
    numbers = numpy.arange(BATCH).tolist()

    def buckets() -> list[int]:
        return [jump.hash(number, BUCKETS) for number in numbers]

    return Probe("buckets()", {"buckets": buckets}, lambda value: len(value) == BATCH, per=BATCH)


def place_jump() -> Makers:
    """The bucket of one key."""
    return {"jump.hash(xxh64(key)), by hand": _of_text}


def jump_batch() -> Makers:
    """The buckets of many numbers, which it takes as hashes."""
    return {"jump.hash of each": _batch}
