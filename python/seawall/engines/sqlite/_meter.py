"""Limits in a table."""

from __future__ import annotations

import sqlite3
from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Meter, Reading, Rule, State, decide
from seawall.engines.operation import Op, Send
from seawall.engines.sqlite._schema import from_text, to_text
from seawall.engines.sqlite._wire import Step

_SWEPT_AT_ONCE = 2


class SqliteMeter(Meter):
    """The port over one namespace of a file."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        super().__init__(driver, namespace, guarantees)

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        step = Step(partial(self._decide, rules, consume), write=consume, durable=False)
        readings: tuple[Reading, ...] = yield Send(step, again=not consume)
        return readings

    def _reset(self, key: str) -> Op[bool]:
        known: bool = yield Send(Step(partial(self._delete, key), durable=False))
        return known

    def _decide(
        self, rules: tuple[tuple[str, Rule], ...], consume: bool, connection: sqlite3.Connection, now: int
    ) -> tuple[Reading, ...]:
        states = [self._state(connection, key) for key, _ in rules]
        after, readings = decide([rule for _, rule in rules], states, now // 1000, consume)
        if after is not None:
            ends = (now + round(reading.reset_after * 1e9) for reading in readings)
            connection.executemany(
                "INSERT INTO seawall_limits VALUES (?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE "
                "SET state = excluded.state, ends_ns = excluded.ends_ns",
                [
                    (self.namespace, key, to_text(state), end)
                    for (key, _), state, end in zip(rules, after, ends, strict=True)
                ],
            )
            self._sweep(connection, now)
        return readings

    def _state(self, connection: sqlite3.Connection, key: str) -> State | None:
        sql = "SELECT state FROM seawall_limits WHERE namespace = ? AND key = ?"
        row = connection.execute(sql, (self.namespace, key)).fetchone()
        return from_text(row[0]) if row else None

    def _sweep(self, connection: sqlite3.Connection, now: int) -> None:
        # Twice as fast as keys can come: the table does not outgrow what is in use.
        connection.execute(
            "DELETE FROM seawall_limits WHERE rowid IN (SELECT rowid FROM seawall_limits "
            f"WHERE namespace = ? AND ends_ns <= ? LIMIT {_SWEPT_AT_ONCE})",
            (self.namespace, now),
        )

    def _delete(self, key: str, connection: sqlite3.Connection, now: int) -> bool:
        del now
        sql = "DELETE FROM seawall_limits WHERE namespace = ? AND key = ?"
        return connection.execute(sql, (self.namespace, key)).rowcount == 1
