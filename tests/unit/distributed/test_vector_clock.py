"""Vector clocks: forms, pruning and refusals; the laws are in tests/property."""

import json
import re
from pathlib import Path

import pytest

from seawall.clock import ManualClock
from seawall.distributed.clocks import HybridStamp, Order, VectorClock
from seawall.errors import ConfigError

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "clock-forms.json").read_text())


@pytest.mark.parametrize("golden", GOLDEN["vector"])
def test_the_forms_of_a_vector_clock_never_change(golden):
    """What another version or another language wrote is read, and written the same."""
    clock = VectorClock.from_bytes(bytes.fromhex(golden["bytes"]))
    assert bytes(VectorClock.from_json(golden["json"])).hex() == golden["bytes"]
    assert clock.to_json() == golden["json"]
    assert dict(clock.counts) == golden["counts"]


@pytest.mark.parametrize("golden", GOLDEN["hybrid"])
def test_the_forms_of_a_hybrid_stamp_never_change(golden):
    """Number, bytes and text are one stamp."""
    stamp = HybridStamp.parse(golden["text"])
    assert (str(int(stamp)), stamp.bytes8.hex(), str(stamp)) == (golden["int"], golden["bytes"], golden["text"])


def test_pruning_by_number_keeps_the_newest():
    """Entries go by the time of their last event; equal times go alike on every machine."""
    wall = ManualClock(100.0)
    clock = VectorClock({"seed": 5})
    for node in ("a", "b", "c"):
        wall.advance(1.0)
        clock = clock.increment(node, clock=wall)
    assert clock.prune(max_entries=2).counts == {"b": 1, "c": 1}
    assert clock.prune(max_entries=4) is clock
    assert VectorClock({"x": 1, "y": 2, "z": 2}).prune(max_entries=1).counts == {"y": 2}


def test_pruning_by_age_drops_what_has_been_silent():
    """An entry of exactly the age stays; all may go."""
    wall = ManualClock(100.0)
    clock = VectorClock().increment("a", clock=wall)
    wall.advance(10.0)
    clock = clock.increment("b", clock=wall)
    assert clock.prune(max_age=10.0, clock=wall) is clock
    assert clock.prune(max_age=9.999, clock=wall).counts == {"b": 1}
    wall.advance(100.0)
    gone = clock.prune(max_age=10.0, clock=wall)
    assert (gone.counts, gone.pruned, gone == VectorClock()) == ({}, True, False)


def test_what_pruning_loses_is_an_order_not_a_truth():
    """Whoever still has the entry is concurrent, until both are merged."""
    full = VectorClock({"a": 3, "b": 1})
    short = full.prune(max_entries=1)
    assert short.counts == {"a": 3}
    assert full.compare(short) is Order.CONCURRENT
    both = full.merge(short.increment("c"))
    assert short < both
    assert full < both


def test_a_pruned_node_counts_on_above_what_it_had():
    """The count of a node whose entry is gone is not given again."""
    clock = VectorClock({"a": 7, "b": 9}).prune(max_entries=1)
    assert clock.counts == {"b": 9}
    assert clock.increment("a").counts == {"a": 8, "b": 9}


def test_machines_that_prune_alike_agree():
    """The same clock pruned in two places is the same clock."""
    full = VectorClock({"a": 3, "b": 1, "c": 2})
    assert bytes(full.prune(max_entries=2)) == bytes(VectorClock.from_json(full.to_json()).prune(max_entries=2))


def test_many_prunings_leave_a_bounded_clock():
    """A thousand writers through a clock of ten entries leave ten entries and at most sixteen marks."""
    wall = ManualClock()
    clock = VectorClock()
    for i in range(1000):
        wall.advance(0.001)
        following = clock.increment(f"node{i}", clock=wall).prune(max_entries=10)
        assert not following < clock
        clock = following
    assert len(clock) == 10
    assert len(bytes(clock)) < 16 * 16 + 10 * 20 + 8


def test_merging_clocks_of_many_prunings_stays_bounded():
    """Marks of more prunings than a clock keeps become one, and both sides are still before what follows."""
    merged = VectorClock()
    for i in range(40):
        merged = merged.merge(VectorClock({f"a{i}": 1, f"b{i}": 2}).prune(max_entries=1))
        assert merged < merged.increment("me")
    assert bytes(merged)[1] <= 8
    assert bytes(merged)[2] <= 16
    assert VectorClock.from_bytes(bytes(merged)) == merged


def test_values_are_values():
    """Clocks hash, compare and show themselves by what they contain."""
    one, two = VectorClock({"a": 1}), VectorClock().increment("a")
    assert {one: "x"}[two] == "x"
    assert (one["a"], one["b"], len(one)) == (1, 0, 1)
    assert one != {"a": 1}
    assert repr(one) == "VectorClock({'a': 1})"
    assert repr(VectorClock({"a": 1, "b": 1}).prune(max_entries=1)) == "VectorClock({'a': 1}, pruned)"
    with pytest.raises(TypeError):
        _ = one < 3
    with pytest.raises(TypeError, match=r"^a VectorClock compares with its like, got 3$"):
        one.compare(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VectorClock({"a": 0}), "the count of 'a' must be 1 to 2**63 - 1, got 0"),
        (lambda: VectorClock({"a": True}), "the count of 'a' must be 1 to 2**63 - 1, got True"),
        (lambda: VectorClock([("a", 1)]), "counts must be a mapping of nodes to counts, got [('a', 1)]"),
        (
            lambda: VectorClock(dict.fromkeys(map(str, range(4097)), 1)),
            "counts must name at most 4096 nodes, got 4097",
        ),
        (lambda: VectorClock({"": 1}), "node must be a text that is not empty, got ''; no two nodes may have the same"),
        (
            lambda: VectorClock().prune(),
            "prune needs max_entries, max_age or both; without either nothing would be pruned",
        ),
        (lambda: VectorClock().prune(max_entries=0), "max_entries must be 1 to 4096, got 0"),
        (lambda: VectorClock().merge({}), "other must be a VectorClock, got {}"),
        (
            lambda: VectorClock(dict.fromkeys(map(str, range(4096)), 1)).increment("x"),
            "the clock has no room for another event of 'x': 4096 of 4096 entries, counts up to 2**63 - 1; prune it",
        ),
        (
            lambda: VectorClock(dict.fromkeys(map(str, range(4096)), 1)).merge(VectorClock({"x": 1})),
            "the clocks have more than 4096 entries together; prune them first",
        ),
        (
            lambda: VectorClock.from_bytes(b"\x02\0\0\0\0"),
            "these 5 bytes are not a vector clock of version 1; give what bytes(clock) made, unchanged",
        ),
        (
            lambda: VectorClock.from_bytes(b"\x01\0\0\0\x01\x01\xff\x01\0"),
            "a node of this vector clock is not written in UTF-8",
        ),
        (lambda: VectorClock.from_bytes("x"), "form must be the bytes of a vector clock, got 'x'"),
        (
            lambda: VectorClock.from_json('{"v":1,"entries":{"a":[0,1]}}'),
            "this is not a vector clock in JSON, version 1: 0 is not a whole number from 1 to 9223372036854775807; "
            "give what to_json() made",
        ),
        (
            lambda: VectorClock.from_json('{"v":2,"entries":{}}'),
            "this is not a vector clock in JSON, version 1: a version or a field that is not known: ['entries', 'v']; "
            "give what to_json() made",
        ),
    ],
)
def test_what_can_never_be_is_refused(make, message):
    """The message names the value and the range."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"v":1}', '{"v":1,"entries":{"a":7}}', '{"v":1,"entries":[]}', None]
)
def test_any_other_text_is_refused(text):
    """Nothing but a clock is read."""
    with pytest.raises(ConfigError, match=f"^{re.escape('this is not a vector clock in JSON, version 1: ')}"):
        VectorClock.from_json(text)


def test_marks_out_of_order_are_refused():
    """A clock in JSON has one form, too."""
    good = json.loads(VectorClock({"a": 1, "b": 1}).prune(max_entries=1).to_json())
    good["pruned"]["marks"] = good["pruned"]["heads"] * 20
    with pytest.raises(ConfigError):
        VectorClock.from_json(json.dumps(good))
