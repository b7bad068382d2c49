"""Leased limits keep to their bounds: never too many, never too few, whatever the processes do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.clock import ManualClock
from seawall.distributed import limits
from seawall.distributed.limits._batch import Spent, next_batch
from seawall.engines import open_engine

KINDS = ["TokenBucket", "FixedWindow", "SlidingWindow", "SlidingLog"]
WINDOW_US = 1_000_000
START_S = 1_000.0
# (microseconds that pass, who, calls in a row, their cost, whether it gives back afterwards)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1_000, 260_000, 480_000, 520_000]),
        st.integers(0, 3),
        st.sampled_from([1, 2, 5, 11, 40]),
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=4,
    max_size=30,
)
Uses = list[tuple[int, int]]


def made(kind: str, limit: int, engine: Any) -> limits.Limit:
    """`limit` a second."""
    if kind == "TokenBucket":
        return limits.TokenBucket(limit, burst=limit, engine=engine, name="api")
    return getattr(limits, kind)(limit, window=1, engine=engine, name="api")


def admitted_by_weight(uses: Uses, now: int) -> float:
    """Calls of this window of the clock, and of the one before by their share in view."""
    window = now // WINDOW_US
    share = 1 - now % WINDOW_US / WINDOW_US
    count = [
        sum(cost for at, cost in uses if at <= now and at // WINDOW_US == number) for number in (window, window - 1)
    ]
    return count[0] + count[1] * share


def most_over(kind: str, limit: int, uses: Uses) -> float:
    """By how much the uses exceed what the limit admits, in the window where they do most."""
    over = [0.0]
    for last, (until, _) in enumerate(uses):
        if kind == "FixedWindow":
            over.append(sum(cost for at, cost in uses if at // WINDOW_US == until // WINDOW_US) - limit)
        elif kind == "SlidingWindow":
            over.append(admitted_by_weight(uses, until) - limit)
        elif kind == "SlidingLog":
            over.append(sum(cost for at, cost in uses[: last + 1] if at + WINDOW_US > until) - limit)
        else:
            total = 0
            for at, cost in reversed(uses[: last + 1]):
                total += cost
                over.append(total - limit - limit * (until - at) / WINDOW_US)
    return max(over)


def room(kind: str, limit: int, uses: Uses, now: int) -> float:
    """What a limit that knew only of the uses would still admit."""
    if kind == "FixedWindow":
        return limit - sum(cost for at, cost in uses if at // WINDOW_US == now // WINDOW_US)
    if kind == "SlidingWindow":
        return limit - admitted_by_weight(uses, now)
    if kind == "SlidingLog":
        return limit - sum(cost for at, cost in uses if at + WINDOW_US > now)
    missing, before = 0.0, 0
    for at, cost in [*uses, (now, 0)]:
        missing = max(0.0, missing - (at - before) * limit / WINDOW_US) + cost
        before = at
    return limit - missing


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=200)
@given(
    limit=st.integers(5, 40),
    processes=st.integers(1, 4),
    fraction=st.sampled_from([0.05, 0.3, 0.6, 1.0]),
    steps=STEPS,
)
def test_leases_keep_to_their_bounds(kind, limit, processes, fraction, steps):
    """Over: processes x batch in any window, none by FixedWindow. Under: what is refused lies unused elsewhere."""
    clock = ManualClock(START_S)
    with open_engine("memory://", clock=clock) as engine:
        leased = [made(kind, limit, engine).leased(fraction=fraction, ttl=0.5) for _ in range(processes)]
        most = leased[0].most
        uses: Uses = []
        for pause, who, times, cost, gives_back in steps:
            clock.advance(pause / 1e6)
            now = clock.now_ns() // 1000
            one = leased[who % processes]
            admitted = sum(one.try_acquire(cost) for _ in range(times))
            if admitted:
                uses.append((now, admitted * cost))
            if admitted < times and cost == 1:
                lost = 0.0 if kind != "TokenBucket" else processes * most * (1 + (now / 1e6 - START_S) / 0.5)
                assert room(kind, limit, uses, now) < (processes - 1) * most + lost + 1 + 1e-6
            if gives_back:
                one.give_back()
            assert all(each.held <= most for each in leased)
        allowed = 0 if kind == "FixedWindow" else processes * most
        assert most_over(kind, limit, uses) <= allowed + 1e-6


@pytest.mark.parametrize("kind", KINDS)
@given(limit=st.integers(5, 40), steps=STEPS)
def test_renewing_ahead_holds_at_most_twice_as_much(kind, limit, steps):
    """Two processes that renew at any moment."""
    clock = ManualClock(START_S)
    with open_engine("memory://", clock=clock) as engine:
        leased = [made(kind, limit, engine).leased(fraction=0.2, ttl=0.5) for _ in range(2)]
        uses: Uses = []
        for pause, who, times, _, _ in steps:
            clock.advance(pause / 1e6)
            if who < 2:
                leased[who].renew()
            elif admitted := sum(leased[who - 2].try_acquire() for _ in range(times)):
                uses.append((clock.now_ns() // 1000, admitted))
        assert most_over(kind, limit, uses) <= (0 if kind == "FixedWindow" else 4 * leased[0].most) + 1e-6


@given(
    batch=st.integers(1, 10**6),
    used=st.integers(0, 10**6),
    lasted=st.integers(0, 10**12),
    lapsed=st.booleans(),
    most=st.integers(1, 10**6),
)
def test_a_batch_stays_between_one_and_the_most(batch, used, lasted, lapsed, most):
    """And at most doubles; a lease that lapsed is followed by what was used of it."""
    used, ttl = min(used, batch), 10**9
    following = next_batch(Spent(batch, used, lasted, lapsed), ttl, most)
    assert 1 <= following <= min(most, 2 * batch)
    if lapsed:
        assert following == min(most, max(1, used))
    assert next_batch(None, ttl, most) == 1
