"""What the files of this package share: the type of their answers, and the same keys and values for all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from benchmarks._case import Probe, WrongAnswer

Makers = dict[str, Callable[[], Probe | Awaitable[Probe]]]

_random = random.Random(1)
# Made in the order they are used, as a service makes its keys: the text is at hand, the entry lies anywhere.
KEYS = [f"user:{n}" for n in _random.sample(range(1_000_000), 100_000)]
# Nodes of a vector clock.
PEERS = [f"node-{n}" for n in range(10)]
# Latencies in seconds, most of them from 10 to 200 milliseconds.
VALUES = [_random.lognormvariate(-3.0, 1.0) for _ in range(100_000)]
P99 = sorted(VALUES)[99_000 - 1]

# What keys are placed on.
NODES = [f"10.0.{n // 10}.{n % 10}:6379" for n in range(100)]
_KNOWN = frozenset(NODES)

# Values of a label, and how many series a text has.
CODES = [str(100 + n) for n in range(64)]
SERIES = 10_000


def has_series(value: object) -> bool:
    """A text of all series of one counter, each with its own number."""
    if not isinstance(value, bytes):
        return False
    read = [line.split() for line in value.decode().splitlines() if line.startswith("served_total{")]
    return sorted(float(number) for _, number in read) == [float(n) for n in range(SERIES)]


def among(value: object) -> bool:
    """One of the nodes."""
    return value in _KNOWN


def even_over(node: Callable[[str], object]) -> None:
    """Shows that every node has keys, none more than twice its share, and the same key the same node."""
    counts = Counter(node(key) for key in KEYS[:20_000])
    if counts.keys() != _KNOWN or max(counts.values()) > 400 or node(KEYS[0]) != node(KEYS[0]):
        raise WrongAnswer(f"20,000 keys lie on {len(counts)} of 100 nodes, at most {max(counts.values())} on one")
