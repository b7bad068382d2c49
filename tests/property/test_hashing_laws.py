"""What the papers promise of consistent hashing: balance, movement, bounds; and that all ways to ask agree."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import hashing as oracle

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

Any_ = Ring | Rendezvous | Maglev

keys = st.one_of(st.text(max_size=80), st.binary(max_size=80), st.integers(-(2**63), 2**64 - 1))
names = st.text(min_size=1, max_size=12)
weights = st.dictionaries(names, st.sampled_from([0.2, 0.5, 1.0, 1.0, 2.5]), min_size=1, max_size=8)
SOME = numpy.arange(100_000)
KINDS = (Ring, Rendezvous, lambda nodes: Maglev(nodes, slots=5_003), BoundedRing)


def nodes(n: int) -> list[str]:
    """Names as a service has them."""
    return [f"10.0.{i // 250}.{i % 250}:6379" for i in range(n)]


@given(keys)
def test_the_stable_hash_is_that_of_its_description(key: str | bytes | int) -> None:
    """The kernel and the page agree on every key."""
    assert stable_hash(key) == oracle.stable_hash(key)


@given(keys, st.integers(1, 5_000))
def test_jump_is_that_of_the_paper(key: str | bytes | int, buckets: int) -> None:
    """The kernel and figure 1 agree."""
    assert jump(key, buckets) == oracle.jump(key, buckets)


@given(weights, keys, st.integers(1, 30))
@settings(max_examples=60)
def test_a_ring_is_that_of_its_description(weight: dict[str, float], key: str | bytes | int, vnodes: int) -> None:
    """The whole order of nodes, for any names and weights."""
    ring = Ring(weight, vnodes=vnodes)
    order = tuple(oracle.ring_order(oracle.ring_points(weight, vnodes), key))
    assert ring.nodes(key, len(order)) == order
    assert ring.node(key) == order[0]


@given(weights, keys)
def test_rendezvous_is_that_of_its_description(weight: dict[str, float], key: str | bytes | int) -> None:
    """The whole order of nodes, with the logarithm to its last bit."""
    order = tuple(oracle.rendezvous_order(weight, key))
    assert Rendezvous(weight).nodes(key, len(order)) == order
    assert Rendezvous(weight).node(key) == order[0]


@given(weights, keys)
@settings(max_examples=40)
def test_a_maglev_table_is_that_of_its_description(weight: dict[str, float], key: str | bytes | int) -> None:
    """The paper's loop, slot by slot."""
    table = oracle.maglev_table(weight, 127)
    found = Maglev(weight, slots=127)
    assert found.node(key) == table[oracle.stable_hash(key) % 127]
    assert found.shares() == {name: table.count(name) / 127 for name in sorted(weight)}


@given(
    st.lists(st.tuples(names, st.sampled_from([None, "x", "y", "z"])), min_size=1, unique_by=lambda pair: pair[0]), keys
)
@settings(max_examples=60)
def test_copies_take_the_zones_in_turn(pairs: list[tuple[str, str | None]], key: str | bytes | int) -> None:
    """The first of each zone before the second of any, and those for n are the first of those for n + 1."""
    members = [Node(name, zone=zone) for name, zone in pairs]
    for placed in (Ring(members, vnodes=5), Rendezvous(members), Maglev(members, slots=1_009)):
        order = placed.nodes(key, len(members), distinct_zones=False)
        everyone = placed.nodes(key, len(members))
        assert everyone == oracle.in_turn(order, dict(pairs), len(members))
        for n in range(1, len(members)):
            assert placed.nodes(key, n) == everyone[:n]
        assert order[0] == everyone[0] == placed.node(key)
        assert len(set(everyone)) == len(members)


@given(weights, st.lists(keys, max_size=30))
@settings(max_examples=40)
def test_many_keys_go_where_each_goes(weight: dict[str, float], some: list[str | bytes | int]) -> None:
    """A batch answers as single lookups do, for lists and arrays."""
    for placed in (Ring(weight), Rendezvous(weight), Maglev(weight, slots=509), BoundedRing(weight)):
        assert placed.node_many(some) == [placed.node(key) for key in some]
    assert stable_hash_many(some).tolist() == [stable_hash(key) for key in some]
    assert jump_many(some, 7).tolist() == [jump(key, 7) for key in some]
    numbers = [key for key in some if isinstance(key, int) and key < 2**63]
    assert stable_hash_many(numpy.array(numbers, dtype=numpy.int64)).tolist() == [stable_hash(n) for n in numbers]
    assert jump_many(numpy.array(numbers, dtype=numpy.int64), 7).tolist() == [jump(n, 7) for n in numbers]


@given(weights, names, st.permutations(range(8)))
@settings(max_examples=40)
def test_what_was_changed_is_what_is_built_anew(weight: dict[str, float], other: str, order: list[int]) -> None:
    """Neither the order of names nor the way there matters."""
    for kind in KINDS:
        built = kind([Node(name, share) for name, share in weight.items()])
        shuffled = kind([Node(*list(weight.items())[i]) for i in order if i < len(weight)])
        changed = built.with_(Node(other, 2.0))
        anew = kind([*(node for node in built.members if node.name != other), Node(other, 2.0)])
        for left, right in ((built, shuffled), (changed, anew)):
            assert left == right
            assert left.shares() == right.shares()
            assert left.node_many(range(50)) == right.node_many(range(50))


@pytest.mark.parametrize("kind", KINDS[:2])
def test_only_keys_of_a_node_that_leaves_move(kind: type[Ring | Rendezvous]) -> None:
    """Karger's monotonicity: others keep every key, on the way out and on the way in."""
    before = kind({name: 1 + i % 3 for i, name in enumerate(nodes(20))})
    after = before.remove(before.names[7])
    owned, now = numpy.array(before.node_many(SOME)), numpy.array(after.node_many(SOME))
    assert set(owned[owned != now]) == {before.names[7]}
    assert (owned == before.names[7]).sum() == (owned != now).sum()


def test_jump_moves_the_fewest_keys() -> None:
    """From n to n + 1 buckets a key stays or goes to the new one; 1 / (n + 1) of them go (five standard errors)."""
    for buckets in (1, 2, 10, 100, 1_000):
        before, after = jump_many(SOME, buckets), jump_many(SOME, buckets + 1)
        moved = before != after
        assert set(after[moved].tolist()) <= {buckets}
        expected = 1 / (buckets + 1)
        assert abs(moved.mean() - expected) < 5 * math.sqrt(expected * (1 - expected) / len(SOME))


def chi_square(counts: numpy.ndarray, shares: numpy.ndarray) -> float:
    """How far counts are from shares, in standard deviations of the statistic's own distribution (Wilson, Hilferty)."""
    expected = shares * counts.sum()
    statistic, free = float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1
    return float((statistic / free) ** (1 / 3) - (1 - 2 / (9 * free))) / math.sqrt(2 / (9 * free))


def test_jump_is_even() -> None:
    """Figure 2 of the paper: all buckets alike but for chance."""
    for buckets in (10, 97, 1_000):
        counts = numpy.bincount(jump_many(SOME, buckets), minlength=buckets)
        assert abs(chi_square(counts, numpy.full(buckets, 1 / buckets))) < 4


@pytest.mark.parametrize("spread", [(1,), (1, 2, 5), (0.25, 1, 30)])
def test_rendezvous_follows_the_weights(spread: tuple[float, ...]) -> None:
    """Shares of keys are those of weights but for chance."""
    placed = Rendezvous({name: spread[i % len(spread)] for i, name in enumerate(nodes(30))})
    counts = numpy.bincount(placed.lookup_many(SOME), minlength=30)
    assert abs(chi_square(counts, numpy.array(list(placed.shares().values())))) < 4


@pytest.mark.parametrize("kind", [Ring, lambda w: Maglev(w, slots=65_537)])
def test_keys_follow_the_shares_that_a_table_tells(kind: type[Ring | Maglev]) -> None:
    """`shares()` is what keys get, but for chance."""
    placed = kind({name: 1 + i % 4 for i, name in enumerate(nodes(40))})
    counts = numpy.bincount(placed.lookup_many(SOME), minlength=40)
    assert abs(chi_square(counts, numpy.array(list(placed.shares().values())))) < 4
    assert math.isclose(sum(placed.shares().values()), 1.0)


@pytest.mark.parametrize("vnodes", [40, 160, 640])
def test_a_ring_is_as_even_as_its_virtual_nodes_make_it(vnodes: int) -> None:
    """The shares of v points each deviate by about 1 / sqrt(v), relative: here within a fifth of that."""
    shares = numpy.array(list(Ring(nodes(500), vnodes=vnodes).shares().values())) * 500
    assert abs(shares.std() * math.sqrt(vnodes) - 1) < 0.2
    assert numpy.abs(shares - 1).max() < 5 / math.sqrt(vnodes)


def test_a_ring_follows_the_weights() -> None:
    """A node of weight 4 has four times the share, within the deviation of its points."""
    shares = Ring({name: 4.0 if i % 2 else 1.0 for i, name in enumerate(nodes(200))}).shares()
    heavy = sum(share for i, name in enumerate(nodes(200)) for share in [shares[name]] if i % 2)
    assert abs(heavy - 0.8) < 4 * 0.8 * 0.2 * (1 / math.sqrt(100 * 160) + 1 / math.sqrt(100 * 640)) + 0.005


@pytest.mark.parametrize("count", [3, 10, 100])
def test_maglev_shares_are_equal_within_a_slot(count: int) -> None:
    """Section 3.4: with a hundred slots a node all shares are within 1 %."""
    shares = numpy.array(list(Maglev(nodes(count)).shares().values())) * 65_537
    assert shares.max() - shares.min() <= 1.5
    assert (shares.max() - shares.min()) / shares.mean() < 0.01


def test_maglev_follows_the_weights_within_two_per_cent() -> None:
    """A node of weight 3 has three times the slots of one of weight 1."""
    placed = Maglev({name: 1.0 + i % 3 for i, name in enumerate(nodes(30))})
    total = sum(node.weight for node in placed.members)
    for node in placed.members:
        assert abs(placed.shares()[node.name] / (node.weight / total) - 1) < 0.02


@pytest.mark.parametrize(("slots", "bound"), [(65_537, 0.05), (655_373, 0.02)])
def test_maglev_disturbs_few_others(slots: int, bound: float) -> None:
    """Figure 12: without one of a hundred nodes, few of the keys of the others move; fewer in a larger table."""
    before = Maglev(nodes(100), slots=slots)
    change = diff(before, before.remove(before.names[50]))
    own = before.shares()[before.names[50]]
    assert change.exact
    assert own <= change.moved <= own + bound


@given(
    st.dictionaries(names, st.sampled_from([0.5, 1.0, 3.0]), min_size=1, max_size=6),
    st.sampled_from([0.01, 0.1, 0.25, 1.0]),
    st.lists(st.integers(0, 4), min_size=1, max_size=120),
)
@settings(max_examples=60)
def test_no_load_exceeds_its_bound(weight: dict[str, float], headroom: float, some: list[int]) -> None:
    """Mirrokni, Thorup and Zadimoghaddam: never above (1 + e) times the share of all, rounded up."""
    ring, total = BoundedRing(weight, headroom=headroom, vnodes=5), sum(weight.values())
    held = []
    for count, key in enumerate(some, 1):
        expected = ring.node(key)
        held.append(ring.acquire(key))
        assert held[-1].node == expected
        for name, load in ring.loads().items():
            assert load <= math.ceil((1 + headroom) * count * weight[name] / total + 1e-9)
    assert ring.names[int(ring.assign_many([some[0]], dict.fromkeys(ring.names, 0))[0])] == held[0].node
    assert [hold.node for hold in held] == [ring.names[i] for i in ring.assign_many(some, {})]
    del held
    assert ring.loads() == dict.fromkeys(ring.names, 0)


@given(weights, weights, st.integers(1, 20), st.lists(keys, min_size=1, max_size=50))
@settings(max_examples=60)
def test_ranges_foretell_which_keys_move(
    before: dict[str, float], after: dict[str, float], vnodes: int, some: list[str | bytes | int]
) -> None:
    """A key moves just when its hash lies in a range, and from and to the nodes of that range."""
    old, new = Ring(before, vnodes=vnodes), Ring(after, vnodes=vnodes)
    change = diff(old, new)
    for key in some:
        found = [(m.source, m.target) for m in change.ranges if m.start <= stable_hash(key) < m.end]
        assert found == ([] if old.node(key) == new.node(key) else [(old.node(key), new.node(key))])
    assert all(m.start < m.end for m in change.ranges)
    assert all(left.end <= right.start for left, right in zip(change.ranges, change.ranges[1:], strict=False))
    assert math.isclose(change.moved, sum(m.end - m.start for m in change.ranges) / 2**64)
    assert math.isclose(change.moved, sum(change.flows.values()), abs_tol=1e-12)


def test_what_a_new_node_takes_is_what_moves() -> None:
    """A ring moves the share of the new node and nothing else; a sampled diff says so within five standard errors."""
    ring = Ring(nodes(20))
    grown = ring.add("new")
    assert math.isclose(diff(ring, grown).moved, grown.shares()["new"])
    placed = Rendezvous(nodes(20))
    change = diff(placed, placed.add("new"), samples=100_000)
    assert {target for _, target in change.flows} == {"new"}
    assert abs(change.moved - 1 / 21) < 5 * change.error
