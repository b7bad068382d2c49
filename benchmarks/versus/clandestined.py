"""clandestined: rendezvous in Python, on murmur3."""

from __future__ import annotations

from clandestined import RendezvousHash

from benchmarks._case import Probe
from benchmarks.versus._kinds import KEYS, NODES, Makers, among, even_over


def _place() -> Probe:
    nodes = RendezvousHash(list(NODES))
    even_over(nodes.find_node)
    return Probe("nodes.find_node(x)", {"nodes": nodes}, among, over=KEYS)


def place() -> Makers:
    """The node of one key."""
    return {"RendezvousHash.find_node": _place}
