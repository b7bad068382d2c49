"""The checker knows good histories from bad ones."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.histories.checker import Call, Held, check, check_by_key, lock, register


def read(began, ended, value):
    """A read and what it saw."""
    return Call(began, ended, "read", (), value)


def write(began, ended, value):
    """A write."""
    return Call(began, ended, "write", (value,))


def cas(began, ended, expected, new, result):
    """A compare-and-set and whether it was done."""
    return Call(began, ended, "cas", (expected, new), result)


GOOD = {
    "empty": [],
    "sequential": [write(0, 1, 1), read(2, 3, 1), write(4, 5, 2), read(6, 7, 2)],
    "a read beside a write sees the old value": [write(0, 1, 1), write(2, 9, 2), read(3, 4, 1)],
    "a read beside a write sees the new value": [write(0, 1, 1), write(2, 9, 2), read(3, 4, 2)],
    "Herlihy and Wing, a later read after an earlier one": [write(0, 9, 1), read(1, 2, 0), read(3, 4, 1)],
    "one of two swaps wins": [cas(0, 9, 0, 1, True), cas(1, 8, 0, 2, False), read(10, 11, 1)],
    "a lost write had its effect": [write(0, math.inf, 1), read(5, 6, 1)],
    "a lost write had its effect late": [write(0, math.inf, 1), read(1, 2, 0), read(3, 4, 1)],
    "a lost write had none": [write(0, math.inf, 1), read(5, 6, 0), read(7, 8, 0)],
    "a lost swap had its effect": [cas(0, math.inf, 0, 1, None), cas(3, 4, 1, 2, True)],
}
BAD = {
    "a stale read": [write(0, 1, 1), read(2, 3, 0)],
    "a value nobody wrote": [write(0, 1, 1), read(2, 3, 7)],
    "a lost update": [cas(0, 1, 0, 1, True), cas(2, 3, 0, 2, True)],
    "two winners at once": [cas(0, 9, 0, 1, True), cas(1, 8, 0, 2, True)],
    "new, then old again": [write(0, 9, 1), read(1, 2, 1), read(3, 4, 0)],
    "a lost write comes and goes": [write(0, math.inf, 1), read(1, 2, 1), read(3, 4, 0)],
    "an effect before its call": [read(0, 1, 1), write(2, 3, 1)],
    "a swap that should have won": [cas(0, 1, 0, 1, False)],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_explained(name):
    """The verdict gives an order that keeps to the times."""
    verdict = check(GOOD[name], register, 0)
    assert verdict
    state = 0
    for call in verdict.order:
        possible, state = register(state, call)
        assert possible
    for earlier, later in itertools.combinations(verdict.order, 2):
        assert later.ended >= earlier.began


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_refused(name):
    """The verdict names the calls that nothing explains."""
    verdict = check(BAD[name], register, 0)
    assert not verdict
    assert verdict.stuck


def test_a_lock_has_one_holder_and_growing_tokens():
    """Two holders, a token twice, or a release that frees another's lock are refused."""
    good = [
        Call(0, 1, "acquire", (), 5, "a"), Call(2, 3, "acquire", (), None, "b"),
        Call(4, 9, "release", (5,), True, "a"), Call(5, 8, "acquire", (), 6, "b"),
    ]  # fmt: skip
    assert check(good, lock, Held())
    two = [Call(0, 1, "acquire", (), 5, "a"), Call(2, 3, "acquire", (), 6, "b")]
    assert not check(two, lock, Held())
    again = [
        Call(0, 1, "acquire", (), 5, "a"), Call(2, 3, "release", (5,), True, "a"), Call(4, 5, "acquire", (), 5, "b"),
    ]  # fmt: skip
    assert not check(again, lock, Held())
    foreign = [Call(0, 1, "acquire", (), 5, "a"), Call(2, 3, "release", (5,), True, "b")]
    assert not check(foreign, lock, Held())


def test_keys_are_checked_by_themselves():
    """A bad key is found beside good ones."""
    history = [Call(0, 1, "write", (1,), None, "x"), Call(2, 3, "read", (), 0, "x"), Call(2, 3, "read", (), 0, "y")]
    verdicts = check_by_key(history, register, 0, lambda call: call.client)
    assert {name: bool(verdict) for name, verdict in verdicts.items()} == {"x": False, "y": True}


def test_an_undecided_history_is_an_error():
    """Never a guess."""
    history = [write(0, 100, number) for number in range(8)] + [read(101, 102, -1)]
    with pytest.raises(RuntimeError, match=r"^not decided within 100 steps; check a shorter history, or key by key$"):
        check(history, register, 0, most_steps=100)


def simulated(seed: int, count: int) -> list[Call]:
    """Calls that took effect one after another at random points within their times: linearizable by construction."""
    rng = random.Random(seed)
    state, calls = 0, []
    for at in range(count):
        began, ended = at - rng.uniform(0, 3), at + rng.uniform(0, 3)
        name = rng.choice(["read", "write", "cas"])
        args = {"read": (), "write": (at,), "cas": (rng.choice([state, -1]), at)}[name]
        result = {"read": state, "write": None, "cas": bool(args) and args[0] == state}[name]
        _, state = register(state, Call(at, math.inf, name, args))
        lost = rng.random() < 0.05 and name != "read"
        calls.append(Call(began, math.inf if lost else ended, name, args, result))
    return calls


@given(seed=st.integers(0, 10_000), count=st.integers(0, 40))
def test_whatever_took_effect_in_order_is_explained(seed, count):
    """Histories made from an order are linearizable."""
    assert check(simulated(seed, count), register, 0)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 30), data=st.data())
def test_brute_force_agrees(seed, count, data):
    """On short windows with one answer changed, the checker says what trying all orders says."""
    calls = simulated(seed, count)[:5]
    place = data.draw(st.integers(0, len(calls) - 1))
    calls[place] = calls[place]._replace(result=data.draw(st.sampled_from([True, False, 0, 1, 2])))
    assert bool(check(calls, register, 0)) == any(map(explains, _orders(calls)))


def _orders(calls):
    must = [call for call in calls if not call.is_open]
    free = [call for call in calls if call.is_open]
    for size in range(len(free) + 1):
        for chosen in itertools.combinations(free, size):
            yield from itertools.permutations([*must, *chosen])


def explains(order) -> bool:
    """Whether an order keeps to the times and to the model."""
    if any(later.ended < earlier.began for earlier, later in itertools.combinations(order, 2)):
        return False
    state = 0
    for call in order:
        possible, state = register(state, call)
        if not possible:
            return False
    return True
