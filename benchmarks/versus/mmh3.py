"""A ring by hand: mmh3 for the hash, bisect for the search, 160 points a node."""

from __future__ import annotations

from bisect import bisect

import mmh3

from benchmarks._case import Probe
from benchmarks.versus._kinds import KEYS, NODES, Makers, among, even_over


def _ring() -> tuple[list[int], list[str]]:
    points = sorted((mmh3.hash64(f"{name}-{i}", signed=False)[0], name) for name in NODES for i in range(160))
    return [at for at, _ in points], [name for _, name in points]


def _place() -> Probe:
    points, owners = _ring()
    hashed, size = mmh3.hash64, len(points)

    def node(key: str) -> str:
        return owners[bisect(points, hashed(key, signed=False)[0]) % size]

    even_over(node)
    return Probe("node(x)", {"node": node}, among, over=KEYS)


def place() -> Makers:
    """The node of one key."""
    return {"hash64 and bisect, by hand": _place}


def build_ring() -> Makers:
    """A ring of 100 nodes."""
    return {"hash64 and sorted, by hand": lambda: Probe("ring()", {"ring": _ring}, lambda ring: len(ring[0]) == 16_000)}
