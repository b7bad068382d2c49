"""Which of 100 nodes has a key: one text, and 10,000 keys at once; and a ring of 100 nodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer
from benchmarks.versus import rivals
from benchmarks.versus._kinds import KEYS, NODES, among, even_over
from seawall.distributed.hashing import BoundedRing, Maglev, Rendezvous, Ring, jump, jump_many

BATCH = 10_000
# So that a table is found in the caches as in steady use, not as its neighbours left it.
ROUNDS = 20
BUCKETS = 100
NUMBERS = numpy.arange(BATCH)
Kind = Callable[[list[str]], Ring | Rendezvous | Maglev]


def _one(kind: Kind) -> Callable[[], Probe]:
    def make() -> Probe:
        placed = kind(NODES)
        even_over(placed.node)
        return Probe("placed.node(x)", {"placed": placed}, among, over=KEYS)

    return make


def _weighted(nodes: list[str]) -> Rendezvous:
    return Rendezvous({name: 1.0 + i % 2 / 10 for i, name in enumerate(nodes)})


def _acquired() -> Probe:
    ring = BoundedRing(NODES)
    even_over(lambda key: ring.acquire(key).node)
    if sum(ring.loads().values()) != 0:
        raise WrongAnswer(f"loads that nobody holds are counted: {ring.loads()}")
    return Probe("ring.acquire(x).release()", {"ring": ring}, lambda value: value is None, over=KEYS)


def _jump() -> Probe:
    return Probe("jump(x, 100)", {"jump": jump}, lambda value: value in range(BUCKETS), over=KEYS)


def _copies() -> Probe:
    return Probe("ring.nodes(x, 3)", {"ring": Ring(NODES)}, lambda value: len(set(value)) == 3, over=KEYS)


def _batch(kind: Kind, keys: object) -> Callable[[], Probe]:
    def make() -> Probe:
        placed = kind(NODES)
        return Probe(
            "placed.lookup_many(keys)",
            {"placed": placed, "keys": keys},
            lambda value: (
                isinstance(value, numpy.ndarray) and [placed.names[i] for i in value] == placed.node_many(keys)
            ),
            per=BATCH,
        )

    return make


def _jump_batch() -> Probe:
    expected = [jump(key, BUCKETS) for key in range(BATCH)]
    return Probe(
        "jump_many(keys, 100)",
        {"jump_many": jump_many, "keys": NUMBERS},
        lambda value: isinstance(value, numpy.ndarray) and value.tolist() == expected,
        per=BATCH,
    )


def _build() -> Probe:
    return Probe("Ring(nodes)", {"Ring": Ring, "nodes": NODES}, lambda ring: len(ring) == 100 and among(ring.node("a")))


def _add() -> Probe:
    return Probe("ring.add('new')", {"ring": Ring(NODES)}, lambda ring: len(ring) == 101)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    one, batch, build = "one of 100 nodes for a str key", "10,000 keys at once, each", "a ring of 100 nodes"
    jumped, texts = "one of 100 buckets for a str key", KEYS[:BATCH]
    return [
        Case(one, OURS, "Ring.node", _one(Ring), Target(2.5), longer=ROUNDS),
        Case(one, OURS, "Maglev.node", _one(Maglev), Target(2.5), longer=ROUNDS),
        Case(one, OURS, "Rendezvous.node", _one(Rendezvous), longer=ROUNDS),
        Case(one, OURS, "Rendezvous.node, weighted", _one(_weighted), longer=ROUNDS),
        Case(one, OURS, "BoundedRing.acquire and release", _acquired, longer=ROUNDS),
        Case(one, OURS, "Ring.nodes of 3", _copies, longer=ROUNDS),
        Case(jumped, OURS, "jump", _jump, Target(2.5), longer=ROUNDS),
        Case(batch, OURS, "jump_many of int64", _jump_batch, Target(30, "M/s")),
        Case(batch, OURS, "Ring.lookup_many of int64", _batch(Ring, NUMBERS)),
        Case(batch, OURS, "Ring.lookup_many of str", _batch(Ring, texts)),
        Case(batch, OURS, "Maglev.lookup_many of int64", _batch(Maglev, NUMBERS)),
        Case(batch, OURS, "Rendezvous.lookup_many of int64", _batch(Rendezvous, NUMBERS)),
        Case(build, OURS, "Ring", _build, Target(3_000, "us")),
        Case(build, OURS, "Ring.add", _add),
        *rivals({"place": one, "place_jump": jumped, "jump_batch": batch, "build_ring": build}, longer=ROUNDS),
    ]
