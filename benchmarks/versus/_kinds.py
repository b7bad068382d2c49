"""What the files of this package share: the type of their answers, and the same keys and values for all."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from benchmarks._case import Probe

Makers = dict[str, Callable[[], Probe | Awaitable[Probe]]]

_random = random.Random(1)
# Made in the order they are used, as a service makes its keys: the text is at hand, the entry lies anywhere.
KEYS = [f"user:{n}" for n in _random.sample(range(1_000_000), 100_000)]
# Nodes of a vector clock.
NODES = [f"node-{n}" for n in range(10)]
# Latencies in seconds, most of them from 10 to 200 milliseconds.
VALUES = [_random.lognormvariate(-3.0, 1.0) for _ in range(100_000)]
P99 = sorted(VALUES)[99_000 - 1]
