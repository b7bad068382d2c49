"""uhashring: a ring in Python, as it comes (160 points a node by md5) and as ketama."""

from __future__ import annotations

from uhashring import HashRing

from benchmarks._case import Probe
from benchmarks.versus._kinds import KEYS, NODES, Makers, among, even_over


def _place(hash_fn: str | None) -> Probe:
    ring = HashRing(NODES, hash_fn=hash_fn)
    even_over(ring.get_node)
    return Probe("ring.get_node(x)", {"ring": ring}, among, over=KEYS)


def _build() -> Probe:
    return Probe("HashRing(nodes)", {"HashRing": HashRing, "nodes": NODES}, lambda ring: among(ring.get_node("a")))


def place() -> Makers:
    """The node of one key."""
    return {"HashRing.get_node": lambda: _place(None), "HashRing.get_node, ketama": lambda: _place("ketama")}


def build_ring() -> Makers:
    """A ring of 100 nodes."""
    return {"HashRing": _build}
