"""Logical clocks against what they stand for: histories kept as sets, and the algorithm of the paper."""

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.clocks import HybridOracle, packed, relation

from seawall.clock import ManualClock
from seawall.distributed.clocks import HybridClock, HybridStamp, LamportClock, UniqueIds, VectorClock
from seawall.errors import ClockDrift

SECOND = 1_000_000_000
NODES = ("a", "b", "c")
AT = st.integers(0, 6)  # few, so that steps meet: most wrong orders need a merge of what was counted apart
STEP = st.one_of(
    st.tuples(st.just("increment"), AT, st.sampled_from(NODES)),
    st.tuples(st.just("merge"), AT, AT),
    st.tuples(st.just("prune"), AT, st.integers(1, 2)),
)


def histories(steps, *, prunes):
    """Versions and the events each contains, made by `steps`; a node counts on only from where it has been."""
    clock = ManualClock()
    made = [(VectorClock(), frozenset(), False)]
    events = dict.fromkeys(NODES, 0)
    for kind, at, what in steps:
        vector, known, pruned = made[-1 - at % len(made)]
        clock.advance(1.0)
        if kind == "increment":
            if not {(what, i) for i in range(1, events[what] + 1)} <= known:
                continue
            events[what] += 1
            made.append((vector.increment(what, clock=clock), known | {(what, events[what])}, pruned))
        elif kind == "merge":
            other, also, too = made[-1 - what % len(made)]
            made.append((vector.merge(other), known | also, pruned or too))
        elif prunes:
            made.append((vector.prune(max_entries=what), known, pruned or len(vector) > what))
    return made


@given(st.lists(STEP, max_size=40))
def test_unpruned_vector_clocks_tell_exactly_how_histories_relate(steps):
    """Equal, before, after and concurrent are what the sets of events say."""
    made = histories(steps, prunes=False)
    for one, known, _ in made:
        for two, also, _ in made:
            assert one.compare(two) == relation(known, also)
            assert (one < two, one <= two, one == two) == (known < also, known <= also, known == also)
            assert hash(one) == hash(two) or known != also


@settings(max_examples=400)
@given(st.lists(STEP, min_size=4, max_size=25))
def test_a_pruned_vector_clock_never_tells_a_wrong_order(steps):
    """After pruning the answer is right or "concurrent"; without it the answer is right."""
    made = histories(steps, prunes=True)
    for one, known, pruned in made:
        for two, also, too in made:
            right = relation(known, also)
            assert one.compare(two) in ({right, "concurrent"} if pruned or too else {right})


@given(st.lists(STEP, max_size=60), st.data())
def test_a_pruned_clock_is_before_whatever_goes_on_from_it(steps, data):
    """Who counts on from a pruned clock is after it, however often it is merged and pruned again."""
    made = histories(steps, prunes=True)
    clock = ManualClock(1000.0)
    last, _, _ = made[-1]
    for node in data.draw(st.lists(st.sampled_from(("x", "y", "z")), min_size=1, max_size=6)):
        following = last.increment(node, clock=clock)
        assert last < following
        clock.advance(1.0)
        last = following.merge(last)
        assert last == following


@given(st.lists(STEP, max_size=40), st.integers(0, 99), st.integers(0, 99))
def test_merging_is_commutative_idempotent_and_an_upper_bound(steps, i, j):
    """The order of merging does not show, and what was merged is contained."""
    made = histories(steps, prunes=True)
    one, two = made[i % len(made)][0], made[j % len(made)][0]
    both = one.merge(two)
    assert bytes(both) == bytes(two.merge(one))
    assert bytes(both.merge(both)) == bytes(both)
    if not (one.pruned or two.pruned):
        assert one <= both
        assert two <= both
        assert bytes(both.merge(one)) == bytes(both)


@given(st.lists(STEP, max_size=40), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_merging_without_pruning_is_associative(steps, i, j, k):
    """Three clocks merge to the same bytes in any grouping."""
    made = histories(steps, prunes=False)
    a, b, c = (made[at % len(made)][0] for at in (i, j, k))
    assert bytes(a.merge(b).merge(c)) == bytes(a.merge(b.merge(c)))


@given(st.lists(STEP, max_size=60))
def test_every_form_of_a_vector_clock_reads_back_as_the_same(steps):
    """Bytes, JSON and pickles lose nothing."""
    for vector, _, _ in histories(steps, prunes=True):
        for again in (
            VectorClock.from_bytes(bytes(vector)),
            VectorClock.from_json(vector.to_json()),
            pickle.loads(pickle.dumps(vector)),
        ):
            assert bytes(again) == bytes(vector)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_vector_clock_or_refused(data):
    """Nothing but a clock in its one form is taken, and nothing crashes."""
    try:
        vector = VectorClock.from_bytes(data)
    except ValueError:
        return
    assert bytes(vector) == data


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 2), st.integers(-3 * SECOND, SECOND))))
def test_hybrid_clocks_do_what_the_paper_says(steps):
    """Three machines whose wall clocks step to and fro give the stamps of figure 5, and refuse by the drift bound."""
    walls = [ManualClock(), ManualClock(), ManualClock()]
    clocks = [HybridClock(clock=wall, max_drift=1.0) for wall in walls]
    oracles = [HybridOracle() for _ in clocks]
    sent = [(0, 0)]
    for receives, who, source, moved in steps:
        walls[who].set_ns(max(0, walls[who].now_ns() + moved))
        now = walls[who].now_ns()
        before = clocks[who].last
        if receives:
            stamp = sent[-1 - source % len(sent)]
            expected = oracles[who].receive(stamp, now, 65_536)
            try:
                got = clocks[who].receive(packed(stamp))
            except ClockDrift:
                assert expected is None
                assert clocks[who].last == before
                continue
            assert got > packed(stamp)
        else:
            expected = oracles[who].now(now)
            got = clocks[who].now()
        assert expected is not None
        assert got == packed(expected)
        assert got > before
        sent.append(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 2)), max_size=60))
def test_lamport_time_respects_cause_and_effect(steps):
    """Whatever an event knows of has a smaller time, and stamps of different events differ."""
    clocks = [LamportClock(node) for node in "abc"]
    known = [frozenset(), frozenset(), frozenset()]
    made = []
    for receives, who, what in steps:
        if receives and made:
            stamp, past = made[-1 - what % len(made)]
            got = (clocks[who].receive(stamp), clocks[who].node)
            known[who] |= past
        else:
            got = clocks[who].send()
        assert all(one < got for one in known[who])
        known[who] |= {tuple(got)}
        made.append((got, known[who]))
    assert len({tuple(stamp) for stamp, _ in made}) == len(made)


@given(st.integers(0, (1 << 64) - 2), st.integers(0, (1 << 64) - 2))
def test_every_form_of_a_hybrid_stamp_reads_back_and_sorts_alike(one, two):
    """Text, bytes and the moment name the stamp, and sort as the numbers do."""
    a, b = HybridStamp(one), HybridStamp(two)
    assert HybridStamp.parse(str(a)) == HybridStamp.from_bytes8(a.bytes8) == HybridStamp.at(a.datetime, a.count) == a
    assert (a < b) == (str(a) < str(b)) == (a.bytes8 < b.bytes8)
    assert pickle.loads(pickle.dumps(a)) == a


@given(st.integers(0, (1 << 58) - 1))
def test_unique_ids_say_what_they_are_made_of(node):
    """The stamp and the node come out of the identifier, which is a UUID of version 8."""
    clock = HybridClock(clock=ManualClock(5.0))
    first = UniqueIds(node, clock).next()
    second = UniqueIds(node, clock).next()
    assert first < second
    assert (first.version, first.variant) == (8, "specified in RFC 4122")
    assert UniqueIds.node_of(first) == node
    assert UniqueIds.stamp_of(second) == clock.last


@given(st.lists(st.integers(-2 * SECOND, 2 * SECOND), max_size=30), st.integers(0, 30))
def test_no_stamp_is_given_that_the_store_does_not_cover(tmp_path_factory, moves, restart):
    """At every moment the file holds the last stamp or more, over restarts and steps of the wall clock."""
    path = tmp_path_factory.mktemp("clock") / "store"
    wall = ManualClock()
    clock, last = HybridClock(clock=wall, store=path), -1
    for i, moved in enumerate(moves):
        wall.set_ns(max(0, wall.now_ns() + moved))
        if i == restart:
            clock = HybridClock(clock=wall, store=path)
        stamp = clock.now()
        assert last < stamp <= int(path.read_text().split("\n")[1], 16)
        last = stamp
