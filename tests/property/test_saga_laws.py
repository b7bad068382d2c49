"""Laws of sagas: whoever dies wherever, each ends done or undone, in order, each effect once at its barrier."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.saga_world import World, check_ended, saga_of

from seawall.clock import ManualClock
from seawall.distributed.transactions.saga import Orchestrator
from seawall.engines import open_engine
from seawall.engines.operation import driver_of

pytestmark = pytest.mark.proof


class _DiedError(BaseException):
    """The process is gone."""


class Life:
    """Dies at one of the places where it is asked, and is dead from then on."""

    def __init__(self, span: int) -> None:
        self.left = span
        self.dead = False

    def trip(self, place: str) -> None:
        """One more place is reached."""
        del place
        if self.left == 0:
            self.dead = True
        self.left -= 1
        if self.dead:
            raise _DiedError


class MortalWire:
    """A wire of one life: asked when something is sent and again when it was answered."""

    def __init__(self, wire: Any, life: Life) -> None:
        self._wire = wire
        self._life = life

    def execute(self, what: Any, timeout: float) -> Any:
        """Send."""
        self._life.trip("sent")
        reply = self._wire.execute(what, timeout)
        self._life.trip("answered")
        return reply

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """Send, from a task."""
        return self.execute(what, timeout)


def _live(engine: Any, world: World, span: int, call: Any) -> Life:
    """One process: it lives for `span` places, and its claims end by themselves."""
    driver, life = driver_of(engine.journal()), Life(span)
    immortal, world._trip = driver.wire, life.trip
    driver.wire = MortalWire(immortal, life)
    try:
        call()
    except _DiedError:
        pass
    finally:
        driver.wire, world._trip = immortal, lambda place: None
        engine._driver.clock.advance(60)
    return life


@settings(max_examples=1_500 if os.environ.get("SEAWALL_LONG") else 150)
@given(seed=st.integers(0, 10**6), spans=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=6))
def test_a_saga_whose_orchestrators_die_ends_done_or_undone(seed, spans):
    """Any number die, at any write, call or effect, before or after it; parked ones are helped by a person."""
    clock = ManualClock(1_000.0, autojump=True)
    world = World(None, seed)
    saga = saga_of(world)
    with open_engine("memory://", clock=clock) as engine:

        def orchestrator() -> Orchestrator:
            return Orchestrator(engine, [saga], ttl=30, wall=clock)

        def run(in_task: bool) -> None:
            if in_task:
                asyncio.run(orchestrator().run_async("seeded", {"seed": seed}, id="1"))
            else:
                orchestrator().run("seeded", {"seed": seed}, id="1")

        for span, in_task in spans:
            _live(engine, world, span, partial(run, in_task))
        last = orchestrator()
        result = last.run("seeded", {"seed": seed}, id="1")
        if result.state == "parked":
            world.healed = True
            last.order("1", "retry", by="the test", why="healed")
            assert last.resume("1").finished
        history = last.log.load("saga", "1")
        assert history is not None
        check_ended(saga, history, world)
        world.close()
