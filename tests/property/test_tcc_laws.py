"""Laws of TCCs: whoever dies wherever, each ends all confirmed or all cancelled, each effect once at its barrier."""

from __future__ import annotations

import sqlite3
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tcc_world import TccWorld, check_ended, tcc_of

from seawall.clock import ManualClock
from seawall.distributed.transactions.tcc import Coordinator
from seawall.engines import open_engine
from seawall.engines.operation import driver_of


class _DiedError(BaseException):
    """The process is gone."""


class Life:
    """Dies at one of the places where it is asked, and is dead from then on."""

    def __init__(self, span: int, wire: Any) -> None:
        self._left = span
        self._wire = wire

    def trip(self, place: str) -> None:
        """One more place is reached."""
        del place
        self._left -= 1
        if self._left < 0:
            raise _DiedError

    def execute(self, what: Any, timeout: float) -> Any:
        """A wire that is asked when something is sent, and again when it was answered."""
        self.trip("sent")
        reply = self._wire.execute(what, timeout)
        self.trip("answered")
        return reply


def live(engine: Any, world: TccWorld, span: int, call: Any) -> None:
    """One process: it lives for `span` places, and its claims end by themselves."""
    driver = driver_of(engine.journal())
    wire = driver.wire
    life = driver.wire = Life(span, wire)
    world.trip = life.trip
    try:
        call()
    except _DiedError:
        pass
    finally:
        driver.wire, world.trip = wire, lambda place: None
        driver.clock.advance(60)


@settings(max_examples=200)
@given(seed=st.integers(0, 10**6), spans=st.lists(st.integers(0, 40), max_size=6))
def test_a_tcc_whose_coordinators_die_ends_confirmed_or_cancelled(seed, spans):
    """Any number die, at any write, call or effect, before or after it; parked ones are helped by a person."""
    clock = ManualClock(1_000.0, autojump=True)
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    world = TccWorld(database, seed)
    world.prepare()
    tcc = tcc_of(world)
    with open_engine("memory://", clock=clock) as engine:
        coordinators: list[Coordinator] = []

        def coordinator() -> Coordinator:
            coordinators.append(Coordinator(engine, [tcc], ttl=30, wall=clock))
            return coordinators[-1]

        for span in spans:
            live(engine, world, span, lambda: coordinator().run("seeded", {"seed": seed}, id="1"))
        last = coordinator()
        result = last.run("seeded", {"seed": seed}, id="1")
        if result.state == "parked":
            world.healed = True
            last.order("1", "retry", by="the test", why="healed")
            assert last.resume("1").finished
        history = last.log.load("tcc", "1")
        assert history is not None
        check_ended(tcc, history, world)
        for each in coordinators:
            each.close()
        database.close()
