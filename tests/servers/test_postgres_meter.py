"""Limits in SQL decide as the reference does, to the microsecond, at the same times."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.backends.postgres import PostgresServer
from tests.servers.rules import GRANTS, KINDS, PAUSES, START, granting, rules

from seawall.engines import Rule, open_engine
from seawall.engines._ports import decide
from seawall.engines._ports._rule_words import readings_of, words_of

MANY = 150 if os.environ.get("SEAWALL_LONG") else 25
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=MANY)


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    """To a server with our schema; nothing of a test is committed."""
    server = PostgresServer()
    server.start()
    try:
        with open_engine(server.url()):
            pass
        with psycopg.connect(server.conninfo("postgres")) as opened:
            yield opened
    finally:
        server.remove()


def decided(connection: Any, namespace: str, asked: Any, consume: bool, now: int) -> Any:
    """What the function says."""
    words = [word for _, rule in asked for word in words_of(rule)]
    sql = "SELECT seawall.limits_update(%s, %s::text[], %s::bigint[], %s, %s)"
    row = connection.execute(sql, (namespace, [key for key, _ in asked], words, consume, now)).fetchone()
    # What is full again may be forgotten, and then a clock that goes back finds nothing; here it is kept.
    connection.execute("UPDATE seawall.limits SET ends_us = %s WHERE namespace = %s", (2 * START, namespace))
    return readings_of(asked, row[0])


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_one_rule_decides_alike(connection, kind, data):
    """Any costs and pauses, looking and taking, with the clock going back."""
    rule, state, now, namespace = data.draw(rules(kind)), None, START, secrets.token_hex(8)
    for pause, cost, consume in data.draw(st.lists(st.tuples(PAUSES, st.integers(1, 4), st.booleans()), max_size=30)):
        now += pause
        asked = Rule(rule.kind, rule.amount, rule.period_us, rule.limit, min(cost, rule.limit), rule.max_wait_us)
        after, readings = decide([asked], [state], now, consume)
        assert decided(connection, namespace, (("k", asked),), consume, now) == readings
        state = after[0] if after else state


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "leaky_bucket"])
@SLOW
@given(data=st.data())
def test_grants_and_what_is_given_back_are_alike(connection, kind, data):
    """As much as there is, and back again, with the clock going back and other parameters on the way."""
    plain, state, now, namespace, granted = data.draw(rules(kind)), None, START, secrets.token_hex(8), (0, 0)
    for pause, cost, share, consume in data.draw(GRANTS):
        now += pause
        plain = data.draw(rules(kind)) if share > 0.95 else plain
        asked = granting(plain, cost, share, granted)
        if asked is None:
            continue
        after, readings = decide([asked], [state], now, consume)
        assert decided(connection, namespace, (("k", asked),), consume, now) == readings
        granted = (readings[0].granted, readings[0].at_us) if consume else granted
        state = after[0] if after else state


@SLOW
@given(steps=st.lists(st.tuples(PAUSES, st.lists(rules(), min_size=1, max_size=3), st.booleans()), max_size=12))
def test_several_rules_that_change_decide_alike(connection, steps):
    """Other parameters and other kinds on the same keys, together or not at all."""
    states: dict[str, Any] = {}
    now, namespace = START, secrets.token_hex(8)
    for pause, asked, consume in steps:
        now += pause
        named = tuple((f"k{place}", rule) for place, rule in enumerate(asked))
        after, readings = decide(asked, [states.get(key) for key, _ in named], now, consume)
        assert decided(connection, namespace, named, consume, now) == readings
        for (key, _), state in zip(named, after or (), strict=False):
            states[key] = state


def test_a_long_log_decides_alike(connection):
    """Ten thousand calls at as many times."""
    rule, namespace = Rule("sliding_log", 10_000, 10**9, 10_000), secrets.token_hex(8)
    state: Any = (4, *(word for at in range(1, 10_000) for word in (START + at, 1)))
    connection.execute("INSERT INTO seawall.limits VALUES (%s, 'k', %s::bigint[], 0)", (namespace, list(state)))
    for now in (START + 10_000, START + 10_001, START + 10**9 + 5):
        after, readings = decide([rule], [state], now)
        assert decided(connection, namespace, (("k", rule),), True, now) == readings
        state = after[0] if after else state
