"""Every limit against its oracle, in any order of calls."""

from __future__ import annotations

from typing import Any

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
from tests.oracles.pairs import NAMES, Pair, pair

import seawall as sw

COSTS = st.integers(1, 4)
STEPS = st.one_of(st.integers(0, 10), st.integers(0, 400_000_000), st.integers(0, 5_000_000_000))


class LimitMachine(RuleBasedStateMachine):
    """A limit answers, waits and forgets exactly as its oracle does."""

    name: str
    held = Bundle("held")
    both: Pair

    @initialize(amount=st.integers(1, 9), limit=st.integers(4, 8), per=st.sampled_from([0.7, 1.0, 3.0]))
    def make(self, amount: int, limit: int, per: float) -> None:
        self.both = pair(self.name, amount, per, limit)

    @rule(cost=COSTS)
    def try_acquire(self, cost: int) -> None:
        assert self.both.limit.try_acquire(cost) == self.both.oracle.take(self.both.now, cost)

    @rule(cost=COSTS)
    def peek_and_check(self, cost: int) -> None:
        now = self.both.now
        at, _ = self.both.oracle.place(now, cost)
        for decide in (self.both.limit.peek, self.both.limit.check):
            decision = decide(cost)
            assert decision.admitted == (at == now)
            assert round(decision.retry_after * 1e9) == at - now
        self.both.oracle.take(now, cost)

    @rule(cost=COSTS, target=held)
    def reserve(self, cost: int) -> Any:
        before = self.both.oracle.save()
        at = self.both.oracle.reserve(self.both.now, cost)
        try:
            permit = self.both.limit.reserve(cost)
        except sw.RateLimited:
            assert at is None
            return None
        assert permit.at_ns == at
        return permit, before, self.both.oracle.save(), cost

    @rule(place=consumes(held))
    def cancel(self, place: Any) -> None:
        if place is None:
            return
        permit, before, after, cost = place
        if self.name == "sliding_log":
            assert permit.cancel()
            for _ in range(cost):
                self.both.oracle.times.remove(permit.at_ns)
        elif self.both.oracle.save() == after:
            assert permit.undo()
            self.both.oracle.load(before)
        else:
            assert not permit.undo()

    @rule(ns=STEPS)
    def advance(self, ns: int) -> None:
        self.both.clock.set_ns(self.both.now + ns)

    @rule(ns=STEPS)
    def step_back(self, ns: int) -> None:
        if self.name == "sliding_log":
            return  # then the order of calls is not the order of times; its law is in test_limit_laws
        self.both.clock.set_ns(max(0, self.both.now - ns))

    @invariant()
    def says_what_is_left(self) -> None:
        if not hasattr(self, "both"):
            return
        seen = self.both.limit.peek()
        assert seen.remaining == self.both.oracle.remaining(self.both.now)
        assert round(seen.reset_after * 1e9) == max(0, self.both.oracle.reset_at() - self.both.now)


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_does_what_its_oracle_does(name: str) -> None:
    """Whatever the order of calls, cancels and steps of the clock, limit and oracle agree to the nanosecond."""
    machine = type(f"Machine_{name}", (LimitMachine,), {"name": name})
    run_state_machine_as_test(machine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))
