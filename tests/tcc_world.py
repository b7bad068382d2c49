"""TCCs by seed, services that fail by seed, and what must hold when a TCC has ended, whoever was killed meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from seawall.distributed.transactions import History
from seawall.distributed.transactions.tcc import Branch, BranchContext, Tcc
from seawall.distributed.transactions.tcc._state import fold
from seawall.errors import StepRefused
from seawall.guard.retry import Retry

AT_ONCE = Retry(4, on=Exception, backoff=0.0, jitter="none")


class ServiceError(Exception):
    """A service failed; the effect may have happened."""


class TccWorld:
    """Services with one database, where each effect passes the barrier.

    Args:
        connection: Of sqlite3 without an isolation level, or of psycopg.
        seed: Decides what fails.
        trip: Told the name of each place where a process may be killed.
    """

    def __init__(self, connection: Any, seed: int, trip: Callable[[str], None] = lambda place: None) -> None:
        self.connection = connection
        self.seed = seed
        self.healed = False
        self.trip = trip
        self._lock = threading.Lock()
        self._is_sqlite = type(connection).__module__.startswith("sqlite3")

    def prepare(self) -> None:
        """Make the table of effects."""
        self.connection.execute("CREATE TABLE IF NOT EXISTS effects (tcc TEXT, branch TEXT, operation TEXT)")
        if not self._is_sqlite:
            self.connection.commit()

    def act(self, context: BranchContext) -> str:
        """A try, confirm or cancel."""
        self.trip("called")
        outcome = self._outcome(context)
        if outcome == "before":
            raise ServiceError("not reached")
        with self._lock:
            self._effect(context, outcome == "refuse")
        self.trip("effected")
        if outcome == "after":
            raise ServiceError("the answer was lost")
        return f"{context.branch} {context.operation}"

    def _effect(self, context: BranchContext, refuse: bool) -> None:
        connection = self.connection
        if self._is_sqlite:
            connection.execute("BEGIN IMMEDIATE")
        try:
            if context.barrier.within(connection):
                if refuse:
                    raise StepRefused("no")  # noqa: TRY301 -- rolls back what the barrier has written
                self.trip("within")
                mark = "?" if self._is_sqlite else "%s"
                connection.execute(
                    f"INSERT INTO effects VALUES ({mark}, {mark}, {mark})",
                    (context.id, context.branch, context.operation),
                )
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _outcome(self, context: BranchContext) -> str:
        if self.healed:
            return "ok"
        chance = Random(f"{self.seed}/{context.branch}/{context.operation}/{context.attempt}").random()
        if context.operation != "try":
            cursed = Random(f"{self.seed}/cursed").random() < 0.1
            return "before" if cursed or chance < 0.2 else "after" if chance < 0.35 else "ok"
        return "before" if chance < 0.12 else "after" if chance < 0.24 else "refuse" if chance < 0.32 else "ok"

    def effects(self, id: str) -> Counter[tuple[str, str]]:
        """How often each has happened."""
        mark = "?" if self._is_sqlite else "%s"
        rows = self.connection.execute(f"SELECT branch, operation FROM effects WHERE tcc = {mark}", (id,)).fetchall()
        self.connection.rollback()
        return Counter((branch, operation) for branch, operation in rows)


def tcc_of(world: TccWorld) -> Tcc:
    """A definition by the world's seed: one to four branches, one after the other or at the same time."""
    rng = Random(f"{world.seed}/tcc")
    branches = [
        Branch(name, world.act, world.act, world.act, AT_ONCE, AT_ONCE, AT_ONCE) for name in "abcd"[: rng.randint(1, 4)]
    ]
    return Tcc("seeded", *branches, parallel=rng.random() < 0.4)


def check_ended(tcc: Tcc, history: History, world: TccWorld) -> str:
    """What holds at the end of a TCC; returns how it ended."""
    state = fold(history.entries)
    effects = world.effects(history.key.id)
    assert history.finished, state
    assert all(count == 1 for count in effects.values()), effects
    had = {
        operation: {name for name, each in effects if each == operation} for operation in ("try", "confirm", "cancel")
    }
    if state.outcome == "confirmed":
        assert had == {"try": set(tcc.branches), "confirm": set(tcc.branches), "cancel": set()}
        assert state.results().keys() == tcc.branches.keys()
    else:
        assert state.outcome == "cancelled"
        assert had["cancel"] == had["try"]
        assert not had["confirm"]
    decisions = [entry.data["to"] for entry in history.entries if entry.what == "decided"]
    assert len(decisions) == 1
    return state.outcome
