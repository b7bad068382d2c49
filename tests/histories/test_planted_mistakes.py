"""Whoever makes a mistake is caught; whoever makes none is not."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.histories.checker import Call, Held, check, lock, register
from tests.histories.holders import Holding, Write, broken_fences, not_growing, two_holders
from tests.histories.models import Version, versioned
from tests.histories.shortest import explain, shortest
from tests.histories.toys import Key, Lock, Register, run

TOYS = {Register: (register, 0), Lock: (lock, Held()), Key: (versioned, Version())}
PLANTED = [pytest.param(toy, mistake, id=f"{toy.__name__}: {mistake}") for toy in TOYS for mistake in toy.MISTAKES]


@pytest.mark.parametrize("toy", TOYS)
@given(seed=st.integers(0, 1_000_000))
def test_what_is_right_is_explained(toy, seed):
    """No order of steps makes the checker cry wolf, lost answers included."""
    model, start = TOYS[toy]
    history = run(toy(), 3, seed, 200)
    assert check(history, model, start), explain(history, model, start)


@pytest.mark.parametrize(("toy", "mistake"), PLANTED)
def test_each_mistake_is_found(toy, mistake):
    """In most short histories of three clients."""
    model, start = TOYS[toy]
    caught = sum(not check(run(toy(mistake), 3, seed, 200), model, start) for seed in range(20))
    assert caught >= 10


@pytest.mark.parametrize(("toy", "mistake"), PLANTED)
def test_the_shortest_part_is_wrong_by_itself(toy, mistake):
    """It cannot be explained whatever the others did, and without any one of its answers it can."""
    model, start = TOYS[toy]
    history = next(each for seed in range(50) if not check(each := run(toy(mistake), 3, seed, 120), model, start))
    wrong = shortest(history, model, start)
    others = [call.left_open() for call in history if call not in wrong]
    assert not check([*wrong, *others], model, start)
    assert len(wrong) <= 6
    told = explain(history, model, start).splitlines()
    assert told[0] == (
        f"{len(wrong)} of {len(history)} calls contradict each other, whatever the others did (began, ended, client):"
    )
    assert told[1 : len(wrong) + 1] == list(map(str, wrong))


def test_what_is_right_has_no_explanation():
    """Nothing is wrong, so nothing is shown."""
    history = run(Register(), 3, 1, 100)
    assert (shortest(history, register, 0), explain(history, register, 0)) == ((), "")


def test_a_lost_update_is_shown_by_its_two_swaps():
    """The two that cannot both be, and no more of a long history."""
    noise = [Call(10 * at, 10 * at + 1, "read", (), 0, "reader") for at in range(50)]
    swaps = [Call(500, 501, "cas", (0, 1), True, "a"), Call(502, 503, "cas", (0, 2), True, "b")]
    assert shortest([*noise, *swaps], register, 0) == tuple(swaps)


VERSIONS = {
    "unknown put, then seen": ([("put", "a", None, True), ("get", None, ("a", 5), False)], True),
    "unknown put, not seen": ([("put", "a", None, True), ("get", None, (None, 0), False)], True),
    "seen with two revisions": (
        [("put", "a", None, True), ("get", None, ("a", 5), False), ("get", None, ("a", 6), False)],
        False,
    ),
    "a revision below what was": (
        [("put", "b", 9, False), ("put", "a", None, True), ("get", None, ("a", 5), False)],
        False,
    ),
    "unknown delete": ([("put", "b", 9, False), ("delete", None, None, True), ("get", None, (None, 0), False)], True),
    "deleted and there again": (
        [("put", "b", 9, False), ("delete", None, (True, 10), False), ("get", None, ("b", 9), False)],
        False,
    ),
    "unknown swap, then seen by the next": (
        [("cas", (0, "a"), None, True), ("cas", (7, "b"), (True, 8), False)],
        True,
    ),
    "a swap of nothing, done twice": (
        [("cas", (0, "a"), (True, 1), False), ("cas", (0, "b"), (True, 2), False)],
        False,
    ),
    "found what it expected": ([("put", "a", 1, False), ("cas", (1, "b"), (False, 1), False)], False),
    "found something not told": ([("put", "a", 1, False), ("cas", (2, "b"), (False, None), False)], True),
    "found what it expected, not told": ([("put", "a", 1, False), ("cas", (1, "b"), (False, None), False)], False),
    "nothing to delete, and there was": ([("put", "a", 1, False), ("delete", None, (False, 0), False)], False),
    "only the revision": ([("put", "a", 4, False), ("at", None, 4, False)], True),
    "only another revision": ([("put", "a", 4, False), ("at", None, 3, False)], False),
}  # fmt: skip


@pytest.mark.parametrize("name", VERSIONS)
def test_revisions_that_nobody_was_told_are_learned(name):
    """A call without an answer may have had any higher revision, and only one."""
    told, right = VERSIONS[name]
    history = []
    for at, (what, args, result, is_open) in enumerate(told):
        given = () if args is None else args if isinstance(args, tuple) else (args,)
        history.append(Call(2 * at, math.inf if is_open else 2 * at + 1, what, given, result))
    assert bool(check(history, versioned, Version())) == right


def held(token, began, ended, until, **more):
    """A holding."""
    return Holding(**{"lock": "l"} | more, owner=f"o{token}", token=token, began=began, ended=ended, until=until)


def test_two_holders_at_one_time_are_found():
    """Unless the first had expired, or may have been given up, or it is another lock."""
    first = held(1, 0, 1, 10)
    assert two_holders([first, held(2, 5, 11, 20)]) == []
    assert two_holders([held(1, 0, 1, 10, given_up=4), held(2, 3, 5, 20)]) == []
    assert two_holders([first, held(2, 3, 5, 20, lock="other")]) == []
    assert two_holders([first, held(2, 9, 9.5, 20)], tolerance=1) == []
    assert two_holders([first, held(2, 3, 5, 20)]) == [f"two holders at one time: {first} and {held(2, 3, 5, 20)}"]


def test_tokens_that_come_twice_or_fall_are_found():
    """Both say so."""
    first, again, lower = held(5, 0, 1, 2), held(5, 10, 11, 12), held(4, 10, 11, 12)
    assert two_holders([first, again]) == [f"one token twice: {first} and {again}"]
    assert two_holders([first, lower]) == [f"tokens did not grow: {first} came before {lower}"]


def test_writes_behind_a_fence_are_found():
    """By their place, and by their time."""
    late = Write("l", 1, 30, 3)
    assert broken_fences([held(1, 0, 1, 2), held(2, 9, 10, 20)], [Write("l", 1, 5, 1), Write("l", 2, 11, 2)]) == []
    assert broken_fences([], [Write("l", 2, 11, 2), late]) == [f"written behind token 2: {late}"]
    new = held(2, 9, 10, 20)
    assert broken_fences([new], [late]) == [f"written after {new} was told: {late}"]


def test_numbers_that_do_not_grow_are_found():
    """Calls at one time may have theirs in any order; one after another they may not."""
    assert not_growing([(0, 5, 2), (1, 4, 1), (6, 7, 3)]) == []
    assert not_growing([(0, 1, 2), (2, 3, 1)]) == ["1 was given between 2 and 3, 2 before that"]
    assert not_growing([(0, 5, 2), (1, 4, 2)]) == ["2 was given 2 times"]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(1, 30)), unique_by=lambda each: each[2]))
def test_growing_is_what_it_says(told):
    """The same as comparing each with each."""
    calls = [(began, began + lasts, number) for began, lasts, number in told]
    bad = {two[2] for one, two in itertools.permutations(calls, 2) if one[1] < two[0] and two[2] <= one[2]}
    assert {int(each.split()[0]) for each in not_growing(calls)} == bad
