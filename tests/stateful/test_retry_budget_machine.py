"""A retry budget against a list of everything that happened."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import seawall as sw
from seawall.clock import ManualClock

SECOND = 1_000_000_000


class BudgetMachine(RuleBasedStateMachine):
    """Deposits, withdrawals, time and reconfigurations, each answered as by the slow, obvious budget."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(1000)
        self.events: list[tuple[int, bool]] = []

    @initialize(ratio=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), reserve=st.integers(0, 5))
    def start(self, ratio: float, reserve: int) -> None:
        """A window of ten seconds, in ten buckets of one."""
        self.ratio, self.reserve = ratio, reserve
        self.budget = sw.RetryBudget(ratio, min_per_second=reserve / 10, window=10, clock=self.clock)

    def expected(self) -> int:
        """Ratio x deposits + reserve - withdrawals, of this bucket and the nine before."""
        bucket = self.clock.now_ns() // SECOND
        live = [withdrawal for at, withdrawal in self.events if at > bucket - 10]
        allowed = Fraction(repr(self.ratio)) * live.count(False) + self.reserve
        return max(0, int(allowed) - live.count(True))

    @rule(count=st.integers(1, 12))
    def deposit(self, count: int) -> None:
        """First attempts."""
        for _ in range(count):
            self.budget.deposit()
            self.events.append((self.clock.now_ns() // SECOND, False))

    @rule()
    def withdraw(self) -> None:
        """A retry, granted exactly when the model has one."""
        granted = self.expected() > 0
        assert self.budget.withdraw() == granted
        if granted:
            self.events.append((self.clock.now_ns() // SECOND, True))

    @rule(seconds=st.sampled_from([0.1, 0.999, 1.0, 3.5, 9.0, 10.0, 25.0]))
    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule(ratio=st.sampled_from([0.0, 0.1, 0.5, 1.0]), reserve=st.integers(0, 5))
    def reconfigure(self, ratio: float, reserve: int) -> None:
        """Another ratio and reserve; nothing is forgotten."""
        self.ratio, self.reserve = ratio, reserve
        self.budget.reconfigure(ratio, min_per_second=reserve / 10, window=10)

    @invariant()
    def balances(self) -> None:
        """The balance is the model's at every moment."""
        if hasattr(self, "budget"):
            assert self.budget.balance == self.expected()


BudgetMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestBudgetMachine = BudgetMachine.TestCase
