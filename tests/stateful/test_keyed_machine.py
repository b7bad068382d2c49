"""The keyed table against a dictionary of oracles, in tables so small that keys must make room for each other."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.oracles.limits import Oracle, SlidingLog
from tests.oracles.pairs import NAMES, pair

import seawall as sw

KEYS = st.integers(0, 39)
COSTS = st.integers(1, 4)
STEPS = st.one_of(st.integers(0, 10), st.integers(0, 400_000_000), st.integers(0, 5_000_000_000))
SHAPES = st.tuples(st.integers(1, 9), st.sampled_from([0.7, 1.0, 3.0]), st.integers(4, 8))
PLACES = 16


class KeyedMachine(RuleBasedStateMachine):
    """Every key is answered by an oracle of its own; a new key is refused for want of room only by a full table."""

    name: str
    held = Bundle("held")

    @initialize(shape=SHAPES, secret=st.binary(min_size=16, max_size=16))
    def make(self, shape: tuple[int, float, int], secret: bytes) -> None:
        self.shape = shape
        first = pair(self.name, *shape)
        self.clock = first.clock
        with mock.patch("os.urandom", return_value=secret):  # so that a failure can be replayed
            self.keyed = first.limit.keyed(max_keys=1)  # two buckets of eight: every key has all sixteen places
        self.oracles: dict[Any, Oracle] = {}
        self.admitted = self.refused = self.overflowed = 0

    @property
    def now(self) -> int:
        return self.clock.now_ns()

    def oracle(self, key: Any) -> Oracle:
        if key not in self.oracles:
            made = self.oracles[key] = pair(self.name, *self.shape).oracle
            if isinstance(made, SlidingLog):
                made.room = 1 << (2 * made.limit).bit_length()  # a table has no cells to spare
        return self.oracles[key]

    def live(self, key: Any) -> bool:
        """Whether forgetting the key could change an answer: the table must not."""
        return key in self.oracles and self.oracles[key].reset_at() > self.now

    def full(self) -> bool:
        """Whether all places may be taken. An entry is also kept for the instant and window it was last used in."""
        return sum(map(self.kept, self.oracles)) >= PLACES

    def kept(self, key: Any) -> bool:
        oracle = self.oracles[key]
        window = getattr(oracle, "window", 0) * (2 if self.name == "sliding_window" else 1)
        return oracle.reset_at() >= self.now or getattr(oracle, "used_at", -window) + window >= self.now

    def expect(self, key: Any, cost: int, *, answer: bool) -> None:
        """Count and compare one decision made at this instant."""
        oracle = self.oracle(key)
        at, after = oracle.place(self.now, cost)
        if answer:
            assert at == self.now
            oracle.load(after)
            oracle.used_at = self.now  # type: ignore[attr-defined]
            self.admitted += 1
            return
        self.refused += 1
        if at == self.now:
            assert not self.live(key), "a live limit was forgotten or not found"
            assert self.full(), "there was room for this key"
            self.overflowed += 1

    @rule(key=KEYS, cost=COSTS)
    def try_acquire(self, key: int, cost: int) -> None:
        self.expect(key, cost, answer=self.keyed.try_acquire(key, cost))

    @rule(key=KEYS, cost=COSTS)
    def check(self, key: int, cost: int) -> None:
        at, _ = self.oracle(key).place(self.now, cost)
        decision = self.keyed.check(key, cost)
        self.expect(key, cost, answer=decision.admitted)
        if decision.admitted or at > self.now:
            assert round(decision.retry_after * 1e9) == at - self.now
        else:
            assert decision.retry_after > 0

    @rule(key=KEYS, cost=COSTS)
    def peek(self, key: int, cost: int) -> None:
        oracle = self.oracle(key)
        at, _ = oracle.place(self.now, cost)
        seen = self.keyed.peek(key, cost)
        if seen.admitted or self.live(key) or not self.full():
            assert seen.admitted == (at == self.now)
            assert seen.remaining == oracle.remaining(self.now)
            assert round(seen.retry_after * 1e9) == at - self.now
            assert round(seen.reset_after * 1e9) == max(0, oracle.reset_at() - self.now)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=40), data=st.data())
    def try_acquire_many(self, keys: list[int], data: st.DataObject) -> None:
        costs = data.draw(st.one_of(st.none(), st.lists(COSTS, min_size=len(keys), max_size=len(keys))))
        as_array = data.draw(st.booleans())
        answers = self.keyed.try_acquire_many(np.array(keys) if as_array else keys, costs)
        for key, cost, answer in zip(keys, costs or [1] * len(keys), answers.tolist(), strict=True):
            self.expect(key, cost, answer=answer)

    @rule(key=KEYS, cost=COSTS, target=held)
    def reserve(self, key: int, cost: int) -> Any:
        oracle = self.oracle(key)
        before = oracle.save()
        at = oracle.reserve(self.now, cost)
        try:
            permit = self.keyed.reserve(key, cost)
        except sw.RateLimited:
            self.refused += 1
            if at is not None:
                oracle.load(before)
                assert not self.live(key)
                assert self.full()
                self.overflowed += 1
            return None
        assert permit.at_ns == at
        self.admitted += 1
        oracle.used_at = self.now  # type: ignore[attr-defined]
        return permit, key, before, oracle.save(), cost

    @rule(place=consumes(held))
    def cancel(self, place: Any) -> None:
        if place is None:
            return
        permit, key, before, after, cost = place
        oracle = self.oracle(key)
        if oracle.save() != after or not self.live(key):
            return
        assert permit.undo()
        self.admitted -= 1
        oracle.used_at = max(self.now, permit.at_ns)  # type: ignore[attr-defined]
        if self.name == "sliding_log":
            for _ in range(cost):
                oracle.times.remove(permit.at_ns)  # type: ignore[attr-defined]
        else:
            oracle.load(before)

    @rule(ns=STEPS)
    def advance(self, ns: int) -> None:
        self.clock.set_ns(self.now + ns)

    @invariant()
    def counts_what_it_did(self) -> None:
        if not hasattr(self, "keyed"):
            return
        stats = self.keyed.stats()
        assert (stats.admitted, stats.refused, stats.overflowed) == (self.admitted, self.refused, self.overflowed)
        assert sum(map(self.live, self.oracles)) <= stats.live <= PLACES


@pytest.mark.parametrize("name", NAMES)
def test_a_table_does_what_its_oracles_do(name: str) -> None:
    """Whatever the order of keys and calls, each key is answered as by an oracle of its own, and none forgotten."""
    machine = type(f"Machine_{name}", (KeyedMachine,), {"name": name})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
