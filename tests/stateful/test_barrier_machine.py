"""The barrier against a model that only counts what was committed."""

from __future__ import annotations

import sqlite3

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from seawall.distributed.transactions.barrier import Barrier
from seawall.errors import OutOfOrder

BRANCHES = st.sampled_from(["stock", "payment"])


class BarrierMachine(RuleBasedStateMachine):
    """Operations in any order, any number of times, committed or rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = sqlite3.connect(":memory:", isolation_level=None)
        self.shop.execute("CREATE TABLE effects (branch, operation)")
        # What each branch was asked for in a transaction that was committed, in order.
        self.asked: dict[str, list[str]] = {"stock": [], "payment": []}

    def teardown(self) -> None:
        self.shop.close()

    def may_run(self, branch: str, operation: str) -> bool | None:
        """What the rules of TCC say, from the history alone; None when the operation can never come."""
        asked = self.asked[branch]
        tried = "try" in asked and "cancel" not in asked[: asked.index("try")]
        if operation == "try":
            return not asked
        if operation == "confirm":
            if not tried or "cancel" in asked:
                return None
            return "confirm" not in asked
        if "confirm" in asked:
            return None
        return tried and "cancel" not in asked

    @rule(branch=BRANCHES, operation=st.sampled_from(["try", "confirm", "cancel"]), commits=st.booleans())
    def comes(self, branch: str, operation: str, commits: bool) -> None:
        """An operation comes."""
        expected = self.may_run(branch, operation)
        self.shop.execute("BEGIN IMMEDIATE")
        try:
            ran = bool(Barrier("t", branch, operation).within(self.shop))
        except OutOfOrder:
            self.shop.execute("COMMIT" if commits else "ROLLBACK")
            assert expected is None
            return
        assert ran is expected
        if ran:
            self.shop.execute("INSERT INTO effects VALUES (?, ?)", (branch, operation))
        self.shop.execute("COMMIT" if commits else "ROLLBACK")
        if commits:
            self.asked[branch].append(operation)

    @invariant()
    def effects_make_sense(self) -> None:
        """At most one try, one decision, and no decision without a try."""
        for branch in self.asked:
            had = [row[0] for row in self.shop.execute("SELECT operation FROM effects WHERE branch = ?", (branch,))]
            assert had in ([], ["try"], ["try", "confirm"], ["try", "cancel"])


TestBarrier = BarrierMachine.TestCase
TestBarrier.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
