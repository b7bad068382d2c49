"""Limits in a table."""

from __future__ import annotations

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Meter, Reading, Rule
from seawall.engines._ports._rule_words import readings_of, words_of
from seawall.engines.operation import Op, Send
from seawall.engines.postgres._step import Step


class PostgresMeter(Meter):
    """The port over one namespace of a schema: a function of the server decides, in one round trip."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, *, schema: str) -> None:
        super().__init__(driver, namespace, guarantees)
        self._s = f'"{schema}"'

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        keys = [key for key, _ in rules]
        words = [word for _, rule in rules for word in words_of(rule)]
        sql = f"SELECT {self._s}.limits_update(%s, %s::text[], %s::bigint[], %s)"
        asked = Step(((sql, (self.namespace, keys, words, consume)),), write=consume, durable=False)
        ((row,),) = yield Send(asked, again=not consume)
        return readings_of(rules, row[0])

    def _reset(self, key: str) -> Op[bool]:
        sql = (
            f"WITH gone AS (DELETE FROM {self._s}.limits WHERE namespace = %s AND key = %s RETURNING 1) "
            "SELECT count(*) FROM gone"
        )
        ((row,),) = yield Send(Step(((sql, (self.namespace, key)),), durable=False))
        return bool(row[0])
