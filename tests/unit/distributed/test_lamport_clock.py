"""Lamport clocks: what they give and refuse."""

import pickle

import pytest

from seawall.distributed.clocks import LamportClock, LamportStamp
from seawall.errors import ClockDrift, ConfigError
from seawall.memory import Segment


def test_time_counts_and_passes_what_is_taken():
    """A tick adds one; taking a message goes above it and above all before."""
    clock = LamportClock("a")
    assert [clock.value, clock.tick(), clock.receive(10), clock.receive(LamportStamp(5, "b")), clock.value] == [
        0,
        1,
        11,
        12,
        12,
    ]


def test_stamps_of_all_nodes_have_one_order():
    """Equal times are ordered by node, the same everywhere."""
    stamps = [LamportClock(node).send() for node in ("b", "a", "c")]
    assert sorted(stamps) == [(1, "a"), (1, "b"), (1, "c")]


def test_a_jump_too_far_is_refused():
    """The message says how far; the clock stays as it was."""
    clock = LamportClock("a", max_jump=100)
    with pytest.raises(ClockDrift) as caught:
        clock.receive(101)
    assert str(caught.value) == (
        "the stamp 101 is 101 ahead of this clock, more than max_jump allows, 100; its sender is broken, or max_jump "
        "is too small"
    )
    assert (caught.value.stamp, caught.value.ahead, caught.value.most, clock.value) == (101, 101.0, 100.0, 0)
    assert clock.receive(100) == 101


def test_the_end_of_the_range_is_told():
    """After the last time there is none, and nothing is given twice."""
    clock = LamportClock("a", max_jump=1 << 62)
    clock.receive(1 << 62)
    clock.receive((1 << 63) - 2)
    for ask in (clock.tick, lambda: clock.receive((1 << 63) - 1)):
        with pytest.raises(OverflowError, match=r"^the clock has reached 9223372036854775807, its last value$"):
            ask()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LamportClock(""), "node must be a text that is not empty, got ''; no two nodes may have the same"),
        (lambda: LamportClock("a" * 256), "node must have at most 255 bytes in UTF-8, got 256"),
        (lambda: LamportClock("\ud800"), "node must be a text that UTF-8 can write, got '\\ud800'"),
        (lambda: LamportClock("a", max_jump=0), "max_jump must be 1 to 2**62 ticks, got 0; 2**48 is the default"),
        (lambda: LamportClock("a").receive(-1), "stamp must be a time from 0 to 9223372036854775807, got -1"),
    ],
)
def test_what_can_never_work_is_refused(make, message):
    """The message names the value and the range."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_a_shared_clock_is_one_clock(tmp_path):
    """Two objects on one slot tick together, and a pickle of one is the same clock again."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    one, two = (LamportClock("host", shared=segment) for _ in range(2))
    assert [one.tick(), two.tick(), pickle.loads(pickle.dumps(one)).tick(), one.value] == [1, 2, 3, 3]
    assert repr(two) == f"<LamportClock 'host' at 3 shared in {segment.path}>"
    with pytest.raises(TypeError) as caught:
        pickle.dumps(LamportClock("a"))
    assert str(caught.value) == (
        "the LamportClock of 'a' cannot be pickled: a copy would give the same times again; give it shared='...' so "
        "that both use one"
    )
