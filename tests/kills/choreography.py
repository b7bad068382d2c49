"""Services whose processes are killed while they react to each other: no event lost, each effect once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from random import Random
from typing import Any

from tests.kills.lives import FOREVER, Life

from seawall.distributed.transactions.choreography import Participant, Reaction, Relay, Subscriptions
from seawall.errors import StepRefused
from seawall.guard.retry import Constant

PLACE: Any = None
PLACES = 120
SWEPT = (0, 1)  # with any number of workers, and in order


def prepare() -> None:
    """Tables."""
    with PLACE.engine() as engine, closing(PLACE.connect()) as connection:
        engine.journal().last("x")
        connection.execute("CREATE TABLE effects (run TEXT, what TEXT, order_id INTEGER)")
        connection.commit()


class Run:
    """A few orders that a shop places, a bank charges or refuses, and the shop settles.

    Args:
        id: Of the run, and part of all names.
        seed: Decides what fails, and whether streams are followed in order.
    """

    def __init__(self, id: str, seed: int) -> None:
        self._id = id
        self._seed = seed
        self._orders = 1 if id.startswith("sweep") else 3

    def warm(self) -> None:
        """Make what is made once for a process."""
        self._workers(PLACE.engine(), Life(FOREVER))

    def live(self, life: Life) -> None:
        """Place the orders that are not there yet, and work off what there is, as far as this life lasts."""
        PLACE.expire()
        workers = self._workers(life.mortal(PLACE.engine()), life)
        self._place(workers[-1], life)
        for _ in range(3):
            for worker in workers:
                worker.drain()

    def end(self, live: Callable[[int, Callable[[Life], None]], bool]) -> None:
        """Work off what is left without further kills, and see what must hold."""
        live(FOREVER, self._end)

    def _end(self, life: Life) -> None:
        engine = PLACE.engine()
        workers = self._workers(engine, life)
        engine.check()
        self._place(workers[-1], life)
        quiet = 0
        # A server may bring to its end what a killed client had sent, so quiet once is not quiet.
        for _ in range(200):
            PLACE.expire()
            quiet = 0 if sum(worker.drain() for worker in workers) else quiet + 1
            if quiet == 3:
                break
        assert quiet == 3
        for worker in workers:
            assert worker.parked() == ()
        left = [name for name in engine.journal().streams(limit=10_000) if self._id in name]
        assert left == [], left
        self._check()

    def _check(self) -> None:
        found = self._effects()
        assert all(count == 1 for count in found.values()), found
        for order in range(self._orders):
            assert found["placed", order]
            refused = self._refuses(order)
            assert found["charged", order] == (0 if refused else 1), found
            assert found["settled payment.failed" if refused else "settled payment.taken", order] == 1, found
        assert found.total() == sum(2 if self._refuses(order) else 3 for order in range(self._orders)), found

    def _effects(self) -> Counter[tuple[str, int]]:
        with closing(PLACE.connect()) as connection:
            sql = f"SELECT what, order_id FROM effects WHERE run = {PLACE.mark}"
            rows = connection.execute(sql, (self._id,)).fetchall()
        return Counter((what, order) for what, order in rows)

    def _workers(self, engine: Any, life: Life) -> list[Any]:
        journal, ordered = engine.journal(), bool(self._seed % 2)
        transaction = partial(PLACE.transaction, life.trip)
        names = f"shop-{self._id}", f"bank-{self._id}"
        how: dict[str, Any] = {
            "ordered": ordered,
            "ttl": 30,
            "attempts": 1_000,
            "backoff": Constant(0),
            "crashes": 1_000,
        }
        shop, bank = (Participant(name, journal, transaction, **how) for name in names)
        bank.on("order.placed", failed="payment.failed")(partial(self._charge, life))
        shop.on("payment.taken", "payment.failed")(partial(self._settle, life))
        who = Subscriptions(journal, {names[1]: ["order.*"], names[0]: ["payment.*"]})
        relays = [Relay(name, journal, who, ordered=ordered, ttl=30, backoff=Constant(0)) for name in names]
        return [relays[0], bank, relays[1], shop]

    def _place(self, shop: Participant, life: Life) -> None:
        placed = self._effects()
        for order in range(self._orders):
            if placed["placed", order]:
                continue
            with PLACE.transaction(life.trip) as connection:
                self._effect(connection, "placed", order)
                shop.emit_within(connection, "order.placed", {"order": order}, key=f"order-{order}")

    def _charge(self, life: Life, reaction: Reaction) -> None:
        order = reaction.event.data["order"]
        life.trip("called")
        self._effect(reaction.transaction, "charged", order)
        self._perhaps_fail(f"charge/{order}")
        if self._refuses(order):
            raise StepRefused("no money")
        reaction.emit("payment.taken", {"order": order})
        life.trip("emitted")

    def _settle(self, life: Life, reaction: Reaction) -> None:
        data = reaction.event.data
        order = data["order"] if reaction.event.type == "payment.taken" else data["data"]["order"]
        life.trip("called")
        self._effect(reaction.transaction, f"settled {reaction.event.type}", order)
        self._perhaps_fail(f"settle/{order}")

    def _refuses(self, order: int) -> bool:
        return Random(f"{self._seed}/refuse/{order}").random() < 0.3

    def _perhaps_fail(self, what: str) -> None:
        if _CHANCE.random() < 0.2:
            raise ValueError(f"{what} failed")

    def _effect(self, connection: Any, what: str, order: int) -> None:
        mark = PLACE.mark
        connection.execute(f"INSERT INTO effects VALUES ({mark}, {mark}, {mark})", (self._id, what, order))


_CHANCE = Random(7)
