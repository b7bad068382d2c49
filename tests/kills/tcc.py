"""TCCs whose coordinators are killed: all confirmed or all cancelled, each effect once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from tests.kills.lives import FOREVER, Life
from tests.tcc_world import TccWorld, check_ended, tcc_of

from seawall.distributed.transactions.barrier import BarrierTable
from seawall.distributed.transactions.tcc import Coordinator

PLACE: Any = None
PLACES = 60
SWEPT = (8, 10, 12)  # one that is confirmed, two that are cancelled, the last of them in parallel


def prepare() -> None:
    """Tables."""
    with PLACE.engine() as engine, closing(PLACE.connect()) as connection:
        engine.journal().last("x")
        TccWorld(connection, 0).prepare()
        if PLACE.mark == "?":
            connection.execute("BEGIN IMMEDIATE")
        BarrierTable.prepare(connection)
        connection.commit()


class Run:
    """One TCC.

    Args:
        id: Its id.
        seed: Decides what fails.
    """

    def __init__(self, id: str, seed: int) -> None:
        self._id = id
        self._seed = seed

    def warm(self) -> None:
        """Make what is made once for a process."""
        Coordinator(PLACE.engine(), [tcc_of(TccWorld(None, 0))], ttl=30)

    def live(self, life: Life) -> None:
        """Begin it or go on with it, as far as this life lasts."""
        PLACE.expire()
        world = TccWorld(PLACE.connect(), self._seed, life.trip)
        coordinator = Coordinator(life.mortal(PLACE.engine()), [tcc_of(world)], ttl=30)
        coordinator.run("seeded", {"seed": self._seed}, id=self._id)

    def end(self, live: Callable[[int, Callable[[Life], None]], bool]) -> None:
        """Bring it to its end without further kills, and see what must hold."""
        live(FOREVER, self._end)

    def _end(self, life: Life) -> None:
        PLACE.expire()
        world = TccWorld(PLACE.connect(), self._seed)
        tcc = tcc_of(world)
        coordinator = Coordinator(PLACE.engine(), [tcc], ttl=30)
        result = coordinator.run("seeded", {"seed": self._seed}, id=self._id)
        if result.state == "parked":
            world.healed = True
            coordinator.order(self._id, "retry", by="the test", why="healed")
            coordinator.resume(self._id)
        history = coordinator.log.load("tcc", self._id)
        assert history is not None
        check_ended(tcc, history, world)
