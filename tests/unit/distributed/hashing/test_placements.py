"""What placements say of themselves, how they change, and what they refuse."""

from __future__ import annotations

import gc
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy
import pytest

from seawall.distributed.hashing import (
    BoundedRing,
    Maglev,
    Node,
    Rendezvous,
    Ring,
    diff,
    jump,
    jump_many,
    stable_hash,
    stable_hash_many,
)
from seawall.errors import ConfigError

KINDS = (Ring, Rendezvous, Maglev, BoundedRing)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Ring([]), "nodes must be 1 to 1,000,000, got 0"),
        (
            lambda: Ring("abc"),
            "nodes must be several names, Nodes or weights by name, got 'abc'; put it in a list",
        ),
        (lambda: Ring(["a", "b", "a"]), "every node must have a name of its own, got 'a' twice"),
        (lambda: Ring([""]), "the name of a node must be a text that is not empty, got ''"),
        (lambda: Ring(["\ud800"]), "the name of a node must be text that UTF-8 can say, got '\\ud800'"),
        (
            lambda: Ring({"a": 0}),
            "the weight of node 'a' must be 0.001 to 1,000,000, got 0; to take no keys to a node, leave it out",
        ),
        (lambda: Ring({"a": True}), "the weight of node 'a' must be a number, got True"),
        (
            lambda: Ring({"a": float("nan")}),
            "the weight of node 'a' must be 0.001 to 1,000,000, got nan; to take no keys to a node, leave it out",
        ),
        (lambda: Node("a", zone=3), "the zone of node 'a' must be a text or None, got 3"),
        (
            lambda: Ring(["a"], vnodes=0),
            "vnodes must be a whole number from 1 to 65,536 points a node, got 0; 160 is the default",
        ),
        (
            lambda: Ring({"a": 1_000_000.0}),
            "a ring must have at most 16,777,216 points, got 160,000,000 for 1 nodes; lower vnodes or the weights",
        ),
        (lambda: Maglev(["a"], slots=65_536), "slots must be a prime, got 65536; the next one is 65537"),
        (
            lambda: Maglev(["a", "b", "c", "d"], slots=3),
            "slots must be a prime from 4 to 67,108,864, got 3; 65537 is the default, a hundred times the nodes keep "
            "loads within 1 %",
        ),
        (
            lambda: BoundedRing(["a"], headroom=0),
            "headroom must be 0.01 to 100 of a node's share, got 0; 0.25 is the default",
        ),
        (lambda: jump("a", 0), "buckets must be 1 to 2,147,483,647, got 0"),
        (lambda: jump("a", 2.5), "buckets must be a whole number from 1 to 2,147,483,647, got 2.5"),
        (lambda: jump("a", True), "buckets must be a whole number from 1 to 2,147,483,647, got True"),
        (
            lambda: Ring(["a", "b"]).nodes("k", 1.0),
            "n must be a whole number from 1 to 2, for there are so many nodes, got 1.0",
        ),
        (lambda: jump_many([], 2**31), "buckets must be 1 to 2,147,483,647, got 2147483648"),
        (
            lambda: Ring(["a", "b"]).nodes("k", 3),
            "n must be a whole number from 1 to 2, for there are so many nodes, got 3",
        ),
        (lambda: Ring(["a"]).add("a"), "node 'a' is there already; use with_() to change it"),
        (lambda: Ring(["a"]).remove("b"), "node 'b' cannot be removed, for it is not there"),
        (lambda: Ring(["a"]).remove("a"), "nodes must be 1 to 1,000,000, got 0"),
        (
            lambda: diff(Ring(["a"]), Maglev(["a"])),
            "diff compares two placements of the same kind, got <Ring of 1 nodes, 160 points each by weight> and "
            "<Maglev of 1 nodes, 65537 slots>",
        ),
        (
            lambda: diff(Ring(["a"]), Ring(["a"]), samples=1),
            "samples must be a whole number from 1,000 to 100,000,000 keys, got 1",
        ),
        (lambda: stable_hash_many(numpy.zeros((2, 2), int)), "keys must be one-dimensional, got shape (2, 2)"),
        (
            lambda: BoundedRing(["a"]).node("k", {"b": 1}),
            "loads must be of the nodes here, got 'b'; there is no such node",
        ),
        (
            lambda: BoundedRing(["a"]).node("k", {"a": -1}),
            "a load must be a whole number from 0 to 2**53, got -1 for 'a'",
        ),
    ],
)
def test_what_is_refused_says_why(call: Callable[[], Any], message: str) -> None:
    """The option, the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("key", [True, None, 1.5, ("a",), bytearray(b"a")])
def test_only_texts_bytes_and_numbers_are_keys(key: Any) -> None:
    """Everywhere the same refusal."""
    for call in (stable_hash, Ring(["a"]).node, lambda k: jump(k, 3), lambda k: stable_hash_many([k])):
        with pytest.raises(TypeError) as caught:
            call(key)
        assert str(caught.value) == f"a key is a str, bytes or a whole number of 64 bits, got {key!r}"


@pytest.mark.parametrize("key", [2**64, -(2**63) - 1])
def test_a_number_of_more_than_64_bits_is_no_key(key: int) -> None:
    """Its low bits would say too little."""
    with pytest.raises(OverflowError) as caught:
        stable_hash(key)
    assert str(caught.value) == (
        f"a number as a key must be -2**63 to 2**64 - 1, got {key}; give its bytes or its text"
    )


def test_text_that_utf_8_cannot_say_is_no_key() -> None:
    """A lone surrogate has no bytes."""
    with pytest.raises(UnicodeEncodeError):
        stable_hash("\ud800")


def test_equal_bits_are_equal_keys() -> None:
    """Text is its UTF-8, a number its eight bytes, signed or not, of numpy or not."""
    assert stable_hash("\u00e9") == stable_hash(b"\xc3\xa9")
    assert stable_hash(-1) == stable_hash(2**64 - 1) == stable_hash(b"\xff" * 8) == stable_hash(numpy.int64(-1))
    small = numpy.array([1, 2, 250], dtype=numpy.uint8)
    assert stable_hash_many(small).tolist() == [stable_hash(1), stable_hash(2), stable_hash(250)]
    assert stable_hash_many(numpy.arange(10)[::3]).tolist() == [stable_hash(n) for n in (0, 3, 6, 9)]
    assert stable_hash_many(numpy.array(["a", "bc"])).tolist() == [stable_hash("a"), stable_hash("bc")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_leaves_the_old_one_as_it_is(kind: Any) -> None:
    """add, remove and with_ make new objects of the same kind and settings."""
    old = kind({"a": 1, "b": 2})
    before = old.node_many(range(100))
    grown = old.add("c", Node("d", zone="z"))
    assert (old.names, grown.names) == (("a", "b"), ("a", "b", "c", "d"))
    assert type(grown) is kind
    assert grown.remove("c", "d") == old
    assert grown.with_(Node("d")).members[3] == Node("d")
    assert old.with_() == old
    assert old.node_many(range(100)) == before
    assert ("a" in old, "c" in old, len(grown)) == (True, False, 4)


def test_settings_go_with_changes_and_copies() -> None:
    """vnodes, slots and headroom stay, and pickle carries them."""
    ring = Ring(["a", "b"], vnodes=7).add("c")
    bounded = BoundedRing(["a", "b"], headroom=0.5, vnodes=9).remove("a")
    table = Maglev(["a", "b"], slots=13).with_("c")
    assert (ring.vnodes, bounded.vnodes, bounded.headroom, table.slots) == (7, 9, 0.5, 13)
    for placed in (ring, bounded, table, Rendezvous({"a": 2.5})):
        copy = pickle.loads(pickle.dumps(placed))
        assert copy == placed
        assert hash(copy) == hash(placed)
        assert copy.node_many(range(20)) == placed.node_many(range(20))
    assert ring != Ring(["a", "b", "c"])
    assert ring != Rendezvous(["a", "b", "c"])


@pytest.mark.parametrize("kind", [Ring, Maglev, Rendezvous, BoundedRing])
def test_a_placement_is_made_once(kind: Any) -> None:
    """A second __init__ would change it under other threads; an unfinished one refuses."""
    placed = kind(["a"])
    with pytest.raises(TypeError, match=rf"^{kind.__name__}\.__init__ may be called once$"):
        placed.__init__(["b"])
    assert placed.names == ("a",)
    for ask in ("node", "nodes"):
        with pytest.raises(TypeError, match=rf"^{kind.__name__} is used before __init__$"):
            getattr(kind.__new__(kind), ask)("k", *([1] if ask == "nodes" else []))


def test_repr_tells_what_it_is() -> None:
    """Kind, number of nodes and settings."""
    assert repr(Ring(["a"])) == "<Ring of 1 nodes, 160 points each by weight>"
    assert repr(Rendezvous(["a"])) == "<Rendezvous of 1 nodes>"
    assert repr(Maglev(["a"])) == "<Maglev of 1 nodes, 65537 slots>"
    assert repr(BoundedRing(["a"]).acquire("k")) == "<Held on 'a'>"


def test_a_load_is_given_back_once() -> None:
    """By release, by the end of a with, or when it is dropped; an error inside a with gives it back, too."""
    ring = BoundedRing(["a"])
    held = ring.acquire("k")
    assert ring.loads() == {"a": 1}
    held.release()
    held.release()
    assert ring.loads() == {"a": 0}
    with ring.acquire("k") as node:
        assert (node, ring.loads()) == ("a", {"a": 1})
    assert ring.loads() == {"a": 0}
    with pytest.raises(KeyError), ring.acquire("k"):
        raise KeyError
    held = ring.acquire("k")
    del held
    gc.collect()
    assert ring.loads() == {"a": 0}


def test_a_load_outlives_the_ring_it_was_put_on() -> None:
    """A changed ring goes on counting; a load on a node that left is given back to nobody."""
    ring = BoundedRing(["a", "b"])
    held = [ring.acquire(key) for key in range(10)]
    loads = ring.loads()
    changed = ring.remove("a").add("c")
    assert changed.loads() == {"b": loads["b"], "c": 0}
    del ring
    for one in held:
        one.release()
    assert changed.loads() == {"b": 0, "c": 0}


def test_threads_lose_no_load() -> None:
    """Whatever the order, all that was acquired and not released is counted, and no bound was passed."""
    ring = BoundedRing(["a", "b", "c"], headroom=0.1)
    interval, start = sys.getswitchinterval(), threading.Barrier(4)
    sys.setswitchinterval(1e-5)

    def work(seed: int) -> list[Any]:
        start.wait()
        kept = []
        for i in range(2_000):
            held = ring.acquire(seed * 2_000 + i % 3)
            if i % 4:
                held.release()
            else:
                kept.append(held)
        return kept

    try:
        with ThreadPoolExecutor(4) as pool:
            kept = [held for some in pool.map(work, range(4)) for held in some]
    finally:
        sys.setswitchinterval(interval)
    assert sum(ring.loads().values()) == len(kept) == 2_000


def test_loads_of_others_can_be_given() -> None:
    """A key steps aside for loads that somebody else counts."""
    ring = BoundedRing(["a", "b"], headroom=0.25)
    own = ring.node("k")
    other = "b" if own == "a" else "a"
    assert ring.node("k", {own: 10}) == other
    assert ring.node("k", {other: 10}) == own
    assert ring.loads() == {"a": 0, "b": 0}


def test_large_batches_let_other_threads_run_and_answer_alike() -> None:
    """Above the size where the lock of the interpreter is released the answers are the same."""
    keys = numpy.arange(20_000)
    for kind in KINDS:
        placed = kind([f"n{i}" for i in range(9)])
        parts = [placed.lookup_many(keys[i : i + 1_000]) for i in range(0, len(keys), 1_000)]
        assert (placed.lookup_many(keys) == numpy.concatenate(parts)).all()
    assert (
        jump_many(keys, 11) == numpy.concatenate([jump_many(keys[i : i + 999], 11) for i in range(0, 20_000, 999)])
    ).all()


def test_maglev_tables_of_different_sizes_are_compared_by_keys() -> None:
    """The answer says from how many."""
    change = diff(Maglev(["a", "b"], slots=13), Maglev(["a", "b"], slots=17), samples=10_000)
    assert (change.exact, change.samples, change.ranges) == (False, 10_000, ())
    assert 0 < change.moved < 1
    assert 0 < change.error < 0.006
