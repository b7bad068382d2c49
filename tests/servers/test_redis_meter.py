"""Limits in Lua decide as the reference does, to the microsecond, at the same times."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers.rules import GRANTS, KINDS, PAUSES, START, granting, rules
from tests.valkey_server import CLOCK

from seawall.engines import Rule, open_engine
from seawall.engines._ports import decide
from seawall.engines._ports._rule_words import readings_of
from seawall.engines.redis import _meter as meter
from seawall.engines.redis._call import Call, load

# The time comes with the call, and the server's own time forgets nothing meanwhile.
AT_A_TIME = """
local now = tonumber(ARGV[#ARGV])
local function str(number) return string.format('%.0f', number) end
local server = redis
local redis = {call = function(...)
  local command, key, value = ...
  if command == 'SET' then return server.call('SET', key, value) end
  return server.call(...)
end}
"""
SCRIPT = load("meter.lua", AT_A_TIME)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


@pytest.fixture(scope="module")
def wire(shared_valkey):
    """What sends to a server."""
    with open_engine(shared_valkey.unix, lint=False) as engine:
        yield engine._driver.wire


def decided(wire, namespace, asked, consume, now):
    """What the script says."""
    arguments = (*meter.arguments(namespace, asked, consume), now)
    return readings_of(asked, wire.execute(Call(arguments, SCRIPT), 5.0))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "leaky_bucket"])
@settings(SLOW, max_examples=60)
@given(data=st.data())
def test_grants_and_what_is_given_back_are_alike(wire, kind, data):
    """As much as there is, and back again, with the clock going back and other parameters on the way."""
    plain, state, now, namespace, granted = data.draw(rules(kind)), None, START, secrets.token_hex(8), (0, 0)
    for pause, cost, share, consume in data.draw(GRANTS):
        now += pause
        plain = data.draw(rules(kind)) if share > 0.95 else plain
        asked = granting(plain, cost, share, granted)
        if asked is None:
            continue
        after, readings = decide([asked], [state], now, consume)
        assert decided(wire, namespace, (("k", asked),), consume, now) == readings
        granted = (readings[0].granted, readings[0].at_us) if consume else granted
        state = after[0] if after else state


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_one_rule_decides_alike(wire, kind, data):
    """Any costs and pauses, looking and taking, with the clock going back."""
    rule, state, now, namespace = data.draw(rules(kind)), None, START, secrets.token_hex(8)
    for pause, cost, consume in data.draw(st.lists(st.tuples(PAUSES, st.integers(1, 4), st.booleans()), max_size=30)):
        now += pause
        asked = Rule(rule.kind, rule.amount, rule.period_us, rule.limit, min(cost, rule.limit), rule.max_wait_us)
        after, readings = decide([asked], [state], now, consume)
        assert decided(wire, namespace, (("k", asked),), consume, now) == readings
        state = after[0] if after else state


@SLOW
@given(steps=st.lists(st.tuples(PAUSES, st.lists(rules(), min_size=1, max_size=3), st.booleans()), max_size=12))
def test_several_rules_that_change_decide_alike(wire, steps):
    """Other parameters and other kinds on the same keys, together or not at all."""
    states, now, namespace = {}, START, secrets.token_hex(8)
    for pause, asked, consume in steps:
        now += pause
        named = tuple((f"k{place}", rule) for place, rule in enumerate(asked))
        after, readings = decide(asked, [states.get(key) for key, _ in named], now, consume)
        assert decided(wire, namespace, named, consume, now) == readings
        for (key, _), state in zip(named, after or (), strict=False):
            states[key] = state


def test_a_long_log_decides_alike(wire):
    """Ten thousand calls at as many times are remembered one by one."""
    rule, namespace = Rule("sliding_log", 10_000, 10**9, 10_000), secrets.token_hex(8)
    packed = "local state = {4} for at = 1, 9999 do state[2 * at], state[2 * at + 1] = ARGV[1] + at, 1 end "
    packed += "return redis.call('SET', KEYS[1], cmsgpack.pack(state))"
    wire.execute(Call(("EVAL", packed, 1, meter._key(namespace, "k"), START)), 5.0)
    state = (4, *(word for at in range(1, 10_000) for word in (START + at, 1)))
    for now in (START + 10_000, START + 10_001, START + 10**9 + 5):
        after, readings = decide([rule], [state], now)
        assert decided(wire, namespace, (("k", rule),), True, now) == readings
        state = after[0] if after else state


def test_the_server_forgets_a_limit_that_is_full_again(shared_valkey):
    """Its key is gone soon after nothing is left of it, and not before."""
    with open_engine(shared_valkey.unix, lint=False) as engine:
        port, namespace = engine.meter("short"), "short"
        rule = Rule.token_bucket(1, per=0.15, burst=1)
        exists = Call(("EXISTS", meter._key(namespace, "k")))
        assert port.update("k", rule).admitted
        assert engine._driver.wire.execute(exists, 5.0) == 1
        CLOCK.sleep(0.16)
        assert engine._driver.wire.execute(exists, 5.0) == 0
        assert port.update("k", rule, consume=False).remaining == 1
