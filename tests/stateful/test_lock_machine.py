"""Locks, readers and writers, and permits against a model, in any order of steps, with leases that end."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.clock import ManualClock
from seawall.distributed.locks import FencedLock, ReadWriteLock, Semaphore
from seawall.engines import open_engine
from seawall.engines.memory._wire import Follow
from seawall.engines.operation import Afresh, Regardless, Wait
from seawall.errors import LockLost

ACTORS = range(5)
TTL = 8
LONG = bool(os.environ.get("SEAWALL_LONG"))


class Waiting:
    """An operation run by hand: it stops where it waits, and goes on when told so."""

    def __init__(self, machine: Any, operation: Any) -> None:
        self.machine = machine
        self.operation = operation
        self.step: Any = None
        self.done = False
        self.result: Any = None
        self.run(None)

    def run(self, reply: Any) -> None:
        """Go on with a reply until it waits or ends."""
        wire, error = self.machine.engine._driver.wire, None
        while True:
            try:
                step = self.operation.send(reply) if error is None else self.operation.throw(error)
            except StopIteration as end:
                self.done, self.result = True, end.value
                return
            reply, error = None, None
            if isinstance(step, (Afresh, Regardless)):
                continue
            if isinstance(step, Wait) or isinstance(step.what, Follow):
                self.step = step
                return
            try:
                reply = wire.execute(step.what, 1.0)
            except Exception as raised:  # noqa: BLE001 - the operation's to handle
                error = raised

    def wake(self) -> None:
        """It has waited long enough."""
        step = self.step
        self.run(None if isinstance(step, Wait) else self.machine.engine._driver.wire._step(step.what.ask))


class LockMachine(RuleBasedStateMachine):
    """Each actor has a lock object of its own, as if in a process of its own, on one engine.

    The engine says who lives: an actor is in as long as its lease does.
    """

    @initialize(kind=st.sampled_from(["lock", "rw", "semaphore"]))
    def begin(self, kind: str) -> None:
        self.clock = ManualClock(1_000)
        self.engine = open_engine("memory://", clock=self.clock)
        self.kv = self.engine.key_value("locks")
        self.kind = kind
        self.waiting: dict[int, tuple[str, Waiting]] = {}
        self.holding: dict[int, tuple[str, Any]] = {}
        self.newest: dict[Any, int] = {}

    def lock_of(self, side: str) -> Any:
        if self.kind == "lock":
            return FencedLock(self.kv, "x", ttl=TTL, renew=False)
        if self.kind == "semaphore":
            return Semaphore(self.kv, "x", 2, ttl=TTL, renew=False)
        return getattr(ReadWriteLock(self.kv, "x", ttl=TTL, renew=False), side)

    def alive(self, held: Any) -> bool:
        """Whether the engine still has its lease."""
        return held._stand.lease.id in {entry.lease for entry in self.kv.list().entries}

    def got(self, actor: int, side: str, held: Any) -> None:
        """A new holder: with a newer token than any before, of its slot."""
        assert self.alive(held)
        assert 0 < held.remaining() <= TTL
        if self.kind != "rw" or side == "writer":
            slot = getattr(held, "slot", None)
            assert held.token > self.newest.get(slot, 0)
            self.newest[slot] = held.token
        self.holding[actor] = side, held

    @rule(actor=st.sampled_from(ACTORS), side=st.sampled_from(["reader", "writer"]))
    def stand_in_line(self, actor: int, side: str) -> None:
        if actor not in self.waiting and actor not in self.holding:
            waiting = Waiting(self, self.lock_of(side)._do_acquire())
            if waiting.done:
                self.got(actor, side, waiting.result)
            else:
                self.waiting[actor] = side, waiting

    @rule(actor=st.sampled_from(ACTORS), side=st.sampled_from(["reader", "writer"]))
    def try_once(self, actor: int, side: str) -> None:
        if actor not in self.waiting and actor not in self.holding:
            held = self.lock_of(side).try_acquire()
            if held is not None:
                self.got(actor, side, held)

    @rule(actor=st.sampled_from(ACTORS))
    def wake(self, actor: int) -> None:
        if actor in self.waiting:
            side, waiting = self.waiting[actor]
            waiting.wake()
            if waiting.done:
                del self.waiting[actor]
                self.got(actor, side, waiting.result)

    @rule(actor=st.sampled_from(ACTORS))
    def give_up(self, actor: int) -> None:
        """Cancelled while waiting: it leaves the line."""
        if actor in self.waiting:
            _, waiting = self.waiting.pop(actor)
            driver, operation = self.engine._driver, waiting.operation

            def cancelled() -> Any:
                step = operation.throw(KeyboardInterrupt())
                reply = None
                while True:
                    reply = yield step
                    step = operation.send(reply)

            try:
                driver.run(cancelled())
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError("a cancellation is not swallowed")

    @rule(actor=st.sampled_from(ACTORS))
    def release(self, actor: int) -> None:
        if actor in self.holding:
            _, held = self.holding.pop(actor)
            lives = self.alive(held)
            assert held.release() is lives
            assert not self.alive(held)

    @rule(actor=st.sampled_from(ACTORS))
    def renew(self, actor: int) -> None:
        if actor in self.holding:
            held = self.holding[actor][1]
            lives, told = self.alive(held), held.lost.is_set()
            try:
                assert held.renew() == TTL
            except LockLost:
                assert told or not lives
            else:
                assert lives
                assert not told

    @rule(seconds=st.sampled_from([0.5, 2, 3, 5, 9]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def nobody_claims_more_than_the_engine_gives(self) -> None:
        for _, held in getattr(self, "holding", {}).values():
            if held.remaining() > 0:
                assert self.alive(held)

    @invariant()
    def no_more_are_in_than_may(self) -> None:
        lives = [(side, held) for side, held in getattr(self, "holding", {}).values() if self.alive(held)]
        if not lives:
            return
        if self.kind == "lock":
            assert len(lives) == 1
        elif self.kind == "semaphore":
            assert len({held.slot for _, held in lives}) == len(lives) <= 2
        elif any(side == "writer" for side, _ in lives):
            assert len(lives) == 1

    def teardown(self) -> None:
        for actor in list(getattr(self, "waiting", {})):
            self.give_up(actor)


LockMachine.TestCase.settings = settings(
    max_examples=1_000 if LONG else 60, stateful_step_count=100 if LONG else 40, deadline=None
)
TestLockMachine = LockMachine.TestCase
