"""Limits as data decide as the exact oracles do, and keep their promise for any rate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import limits as oracles

from seawall.engines import Rule
from seawall.engines._ports import decide, shifted
from seawall.errors import ConfigError

# The oracles count whole units of time and keep 1/8 of them: periods here are multiples of the amount, in microseconds.
STEPS = st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 4), st.booleans()), max_size=40)
START = 1_000_000_000


def pair(kind: str, amount: int, limit: int):
    """The rule and its oracle."""
    period = 1000 * amount
    rule = Rule(kind, amount, period, limit)
    if kind == "token_bucket":
        return rule, oracles.TokenBucket(amount, period, limit)
    if kind == "leaky_bucket":
        return rule, oracles.LeakyBucket(amount, period, limit)
    oracle = {"fixed_window": oracles.FixedWindow, "sliding_window": oracles.SlidingWindow}.get(
        kind, oracles.SlidingLog
    )
    return Rule(kind, limit, period, limit), oracle(limit, period)


@pytest.mark.parametrize("kind", ["token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log"])
@given(amount=st.integers(1, 5), limit=st.integers(4, 8), steps=STEPS)
def test_a_rule_decides_as_its_oracle(kind, amount, limit, steps):
    """Admission, the wait for the next, and what remains, after any history."""
    rule, oracle = pair(kind, amount, limit)
    state, now = None, START
    for pause, cost, consume in steps:
        now += pause
        asked = Rule(rule.kind, rule.amount, rule.period_us, rule.limit, cost)
        at, _ = oracle.place(now, cost)
        after, (reading,) = decide([asked], [state], now, consume)
        assert reading.admitted is (at == now)
        assert round(reading.retry_after * 1e6) == at - now
        if consume:
            assert oracle.take(now, cost) is reading.admitted
            state = after[0] if after else state
        assert reading.remaining == oracle.remaining(now)
        if consume and reading.admitted:
            assert round(reading.reset_after * 1e6) == max(0, oracle.reset_at() - now)


@given(
    rate=st.floats(0.01, 100_000, allow_nan=False),
    burst=st.integers(1, 1000),
    pauses=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate(rate, burst, pauses):
    """In every interval of any length."""
    rule = Rule.token_bucket(rate, burst=burst)
    state, now, admitted = None, START, []
    for pause in pauses:
        now += pause
        after, (reading,) = decide([rule], [state], now)
        state = after[0] if after else state
        admitted += [now] * reading.admitted
    exact = Fraction(rule.amount, rule.period_us)
    assert abs(exact - Fraction(rate) / 1_000_000) <= exact / 1_000_000
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + (admitted[last] - admitted[first]) * exact


@pytest.mark.parametrize("kind", ["token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log"])
@given(back=st.integers(1, 10**9), used=st.integers(1, 4))
def test_a_clock_that_goes_back_neither_frees_nor_locks_for_ever(kind, back, used):
    """What was used keeps its weight, and ages from the new time on."""
    rule, _ = pair(kind, 1, 4)
    state, now = None, START * 2
    for _ in range(4):
        after, _ = decide([rule], [state], now)
        state = after[0] if after else state
    after, (reading,) = decide([rule], [state], now - back)
    assert after is not None
    assert not reading.admitted
    assert decide([rule], after, now - back + 10_000)[1][0].admitted


@pytest.mark.parametrize("kind", ["token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log"])
@given(by=st.integers(-500, 10**6), takes=st.integers(1, 6), later=st.integers(0, 9000))
def test_a_shifted_state_decides_alike_on_a_shifted_clock(kind, by, takes, later):
    """By whole windows exactly, so that a reboot is not noticed."""
    rule, _ = pair(kind, 1, 4)
    by *= rule.period_us
    state = None
    for _ in range(takes):
        after, _ = decide([rule], [state], START * 1000)
        state = after[0] if after else state
    there = decide([rule], [state], START * 1000 + later)
    moved = decide([rule], [shifted(state, by)], START * 1000 + by + later)
    assert moved[1][0]._replace(at_us=0) == there[1][0]._replace(at_us=0)


GRANTING = ["token_bucket", "fixed_window", "sliding_window", "sliding_log"]


@pytest.mark.parametrize("kind", GRANTING)
@given(
    amount=st.integers(1, 5),
    limit=st.integers(4, 8),
    steps=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 8), st.integers(1, 8)), max_size=40),
)
def test_a_grant_is_the_largest_that_fits(kind, amount, limit, steps):
    """What is granted would have been admitted as a cost, one more would not; refused is what `least` refuses."""
    rule, _ = pair(kind, amount, limit)
    state, now = None, START
    for pause, wanted, enough in steps:
        now += pause
        cost = min(wanted, limit)
        least = min(cost, enough)
        after, (reading,) = decide([replace(rule, cost=cost, least=least)], [state], now)
        fits = [c for c in range(least, cost + 1) if decide([replace(rule, cost=c)], [state], now, False)[1][0]]
        assert reading.granted == max(fits, default=0)
        assert reading.admitted is bool(fits)
        state = after[0] if after else state


@pytest.mark.parametrize("kind", GRANTING)
@given(
    limit=st.integers(2, 8),
    steps=st.lists(
        st.tuples(st.integers(0, 2500), st.integers(1, 4), st.booleans(), st.integers(0, 1500), st.integers(0, 4)),
        max_size=30,
    ),
)
def test_what_is_given_back_never_admits_more_than_if_it_had_not_been_taken(kind, limit, steps):
    """Beside a meter that was never asked for it, one that gives unused calls back has no more room, then or later."""
    rule, _ = pair(kind, 1, limit)
    given, never, now = None, None, START
    for pause, wanted, keep, later, others in steps:
        now += pause
        after, (reading,) = decide([replace(rule, cost=min(wanted, limit), least=1)], [given], now)
        given = after[0] if after else given
        used = reading.granted if keep else reading.granted // 2
        if used:
            after, (admitted,) = decide([replace(rule, cost=used)], [never], now)
            assert admitted, "what the one granted, the other admits"
            never = after[0]
        granted_at = now
        now += later
        if others:
            asked = [replace(rule, cost=min(others, limit))]
            after, (reading_of_others,) = decide(asked, [given], now)
            given = after[0] if after else given
            if reading_of_others:
                after, (admitted,) = decide(asked, [never], now)
                assert admitted
                never = after[0]
            now += later
        if reading.granted > used:
            back = replace(rule, cost=0, returned=reading.granted - used, returned_at_us=granted_at)
            after, _ = decide([back], [given], now)
            assert after is not None
            given = after[0]
        for ahead in (0, 1, 700, 1500, 4000):
            there, here = (decide([rule], [state], now + ahead, False)[1][0].remaining for state in (given, never))
            assert there <= here


@given(takes=st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=20))
def test_several_rules_are_charged_together_or_not_at_all(takes):
    """One that refuses leaves the others as they were."""
    wide, narrow = Rule("sliding_log", 10, 5000, 10), Rule.token_bucket(1, per=0.002, burst=1)
    states, now = [None, None], START
    for pause, consume in takes:
        now += pause
        after, readings = decide([wide, narrow], states, now, consume)
        assert (after is not None) == (consume and all(readings))
        alone = [decide([rule], [state], now, False)[1][0] for rule, state in zip([wide, narrow], states, strict=True)]
        assert [reading.admitted for reading in readings] == [reading.admitted for reading in alone]
        states = list(after) if after else states


def test_what_would_not_be_exact_everywhere_is_refused():
    """Doubles in Lua hold whole numbers below 2^53."""
    with pytest.raises(ConfigError) as refused:
        Rule("token_bucket", 1, 10**12, 10**6)
    assert str(refused.value) == (
        "limit x period_us must be below 2^52 to be exact in every engine, got 1000000 x 1000000000000; use larger "
        "units of cost, a shorter period or a smaller burst"
    )
