"""Sagas by seed, services that fail by seed, and what must hold when a saga has ended, whoever was killed meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

from seawall.distributed.transactions import History
from seawall.distributed.transactions.saga import Parallel, Saga, Step, StepContext
from seawall.distributed.transactions.saga._state import fold
from seawall.errors import StepRefused
from seawall.guard.retry import Retry

AT_ONCE = Retry(4, on=Exception, backoff=0.0, jitter="none")
TABLE = "CREATE TABLE IF NOT EXISTS effects (n INTEGER PRIMARY KEY AUTOINCREMENT, saga TEXT, step TEXT, operation TEXT)"


class ServiceError(Exception):
    """A service failed; the effect may have happened."""


class World:
    """Services with one database, where each effect passes the barrier.

    Args:
        path: Of the database; None for memory.
        seed: Decides what fails.
        trip: Told the name of each place where a process may be killed.
    """

    def __init__(self, path: Path | None, seed: int, trip: Callable[[str], None] = lambda place: None) -> None:
        self.seed = seed
        self.healed = False
        self._trip = trip
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(TABLE)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def act(self, context: StepContext) -> str:
        """An action or a compensation."""
        self._trip("called")
        outcome = self._outcome(context)
        if outcome == "before":
            raise ServiceError("not reached")
        with self._lock:
            self._effect(context, outcome == "refuse")
        self._trip("effected")
        if outcome == "after":
            raise ServiceError("the answer was lost")
        return f"{context.step} {context.operation}"

    def _effect(self, context: StepContext, refuse: bool) -> None:
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            if context.barrier.within(database):
                if refuse:
                    raise StepRefused("no")  # noqa: TRY301 -- rolls back what the barrier has written
                self._trip("within")
                database.execute(
                    "INSERT INTO effects (saga, step, operation) VALUES (?, ?, ?)",
                    (context.id, context.step, context.operation),
                )
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _outcome(self, context: StepContext) -> str:
        if self.healed:
            return "ok"
        rng = Random(f"{self.seed}/{context.step}/{context.operation}/{context.attempt}")
        chance = rng.random()
        if context.operation == "compensation":
            cursed = Random(f"{self.seed}/cursed").random() < 0.1
            return "before" if cursed or chance < 0.2 else "after" if chance < 0.35 else "ok"
        luck = Random(f"{self.seed}/broken")
        if luck.random() < 0.3 and luck.choice("abcde") == context.step:
            return "after"
        return "before" if chance < 0.12 else "after" if chance < 0.24 else "refuse" if chance < 0.32 else "ok"

    def effects(self, id: str) -> list[tuple[int, str, str]]:
        """In the order in which they happened."""
        rows = self._database.execute("SELECT n, step, operation FROM effects WHERE saga = ? ORDER BY n", (id,))
        return [(n, step, operation) for n, step, operation in rows]


def saga_of(world: World, *, parallel: bool = True) -> Saga:
    """A definition by the world's seed: up to four stages, some of them parallel, perhaps a pivot."""
    rng = Random(f"{world.seed}/saga")
    count = rng.randint(1, 4)
    pivot = rng.randrange(count) if rng.random() < 0.5 else None
    names = iter("abcdefghijklmnopqrstuvwxyz")

    def step(stage: int) -> Step:
        undone = rng.random() < 0.85 and (pivot is None or stage < pivot)
        return Step(
            next(names), world.act, world.act if undone else None, retry=AT_ONCE, compensation_retry=AT_ONCE,
            pivot=stage == pivot,
        )  # fmt: skip

    stages: list[Step | Parallel] = []
    for stage in range(count):
        if not parallel or stage == pivot or rng.random() < 0.75:
            stages.append(step(stage))
        else:
            branches = [tuple(step(stage) for _ in range(rng.randint(1, 2))) for _ in range(rng.randint(2, 3))]
            stages.append(Parallel(*branches))
    return Saga("seeded", *stages)


def check_ended(saga: Saga, history: History, world: World) -> str:
    """What holds at the end of a saga; returns how it ended."""
    state = fold(history.entries)
    effects = world.effects(history.key.id)
    happened = {(step, operation): n for n, step, operation in effects}
    assert len(happened) == len(effects), effects
    actions = {step: n for (step, operation), n in happened.items() if operation == "action"}
    undone = {step: n for (step, operation), n in happened.items() if operation == "compensation"}
    assert history.finished, state
    _check_order(saga, actions)
    if state.outcome == "done":
        assert actions.keys() == saga.steps.keys()
        assert not undone
        assert state.results().keys() == saga.steps.keys()
    else:
        assert state.outcome == "compensated"
        _check_undone(saga, state.order, actions, undone)
    return state.outcome


def _check_order(saga: Saga, actions: dict[str, int]) -> None:
    for earlier, later in zip(saga.stages, saga.stages[1:], strict=False):
        before = [step.name for branch in earlier for step in branch]
        after = [step.name for branch in later for step in branch if step.name in actions]
        for name in after:
            assert all(one in actions and actions[one] < actions[name] for one in before), actions
    for stage in saga.stages:
        for branch in stage:
            times = [actions.get(step.name) for step in branch]
            found = [n for n in times if n is not None]
            assert found == sorted(found)
            assert None not in times[: len(found)]


def _check_undone(saga: Saga, order: tuple[str, ...], actions: dict[str, int], undone: dict[str, int]) -> None:
    must = {name for name in actions if saga.steps[name].compensation is not None}
    assert undone.keys() == must, (actions, undone)
    assert saga.pivot not in actions
    wanted = [name for name in reversed(order) if name in must]
    assert sorted(undone, key=undone.__getitem__) == wanted, (order, undone)
    assert not undone or max(actions.values()) < min(undone.values())
