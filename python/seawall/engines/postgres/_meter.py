"""Limits in a table."""

from __future__ import annotations

from typing import Any

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Meter, Reading, Rule, State, decide
from seawall.engines.operation import Op, Send
from seawall.engines.postgres._step import Rows, Statement, Step

_SWEPT_AT_ONCE = 2


class PostgresMeter(Meter):
    """The port over one namespace of a schema: locked there, decided here by the server's clock, stored there."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, *, schema: str) -> None:
        super().__init__(driver, namespace, guarantees)
        self._s = f'"{schema}"'

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        keys = [key for key, _ in rules]
        if not consume:
            (rows,) = yield Send(Step((self._seen(keys),), write=False), again=True)
            return self._decided(rules, False, rows)[1]
        readings: list[tuple[Reading, ...]] = []

        def store(found: list[Rows]) -> tuple[Statement, ...]:
            after, said = self._decided(rules, True, found[0])
            readings[:] = [said]
            return self._stored(keys, after, said, found[0][0][0]) if after is not None else ()

        held = f"SELECT at_us, states FROM {self._s}.limits_held(%s, %s::text[])", (self.namespace, keys)
        yield Send(Step((held,), durable=False, then=store))
        return readings[0]

    def _seen(self, keys: list[str]) -> Statement:
        sql = (
            f"SELECT {self._s}.now_us(), (SELECT coalesce(jsonb_object_agg(key, to_jsonb(state)), '{{}}'::jsonb) "
            f"FROM {self._s}.limits WHERE namespace = %s AND key = ANY (%s::text[]))"
        )
        return sql, (self.namespace, keys)

    def _decided(
        self, rules: tuple[tuple[str, Rule], ...], consume: bool, rows: Rows
    ) -> tuple[tuple[State, ...] | None, tuple[Reading, ...]]:
        now, states = rows[0]
        known = [tuple(states[key]) if key in states else None for key, _ in rules]
        return decide([rule for _, rule in rules], known, now, consume)

    def _stored(
        self, keys: list[str], states: tuple[State, ...], readings: tuple[Reading, ...], now: int
    ) -> tuple[Statement, ...]:
        rows: list[Any] = []
        for key, state, reading in zip(keys, states, readings, strict=True):
            rows += (self.namespace, key, list(state), now + round(reading.reset_after * 1e6))
        places = ", ".join(["(%s, %s, %s::bigint[], %s)"] * len(keys))
        upsert = (
            f"INSERT INTO {self._s}.limits VALUES {places} ON CONFLICT (namespace, key) "
            "DO UPDATE SET state = excluded.state, ends_us = excluded.ends_us"
        )
        # Twice as fast as keys can come: the table does not outgrow what is in use.
        sweep = (
            f"DELETE FROM {self._s}.limits WHERE ctid = ANY (ARRAY(SELECT ctid FROM {self._s}.limits "
            f"WHERE namespace = %s AND ends_us <= %s LIMIT {_SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED))"
        )
        return (upsert, tuple(rows)), (sweep, (self.namespace, now))

    def _reset(self, key: str) -> Op[bool]:
        sql = (
            f"WITH gone AS (DELETE FROM {self._s}.limits WHERE namespace = %s AND key = %s RETURNING 1) "
            "SELECT count(*) FROM gone"
        )
        ((row,),) = yield Send(Step(((sql, (self.namespace, key)),), durable=False))
        return bool(row[0])
