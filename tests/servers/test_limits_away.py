"""Limits across machines while their server is killed, and after it is back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import seawall as sw
from seawall.clock import SystemClock
from seawall.distributed import limits
from seawall.engines import open_engine
from seawall.errors import CircuitOpen, RateLimited

CLOCK = SystemClock()
LONGEST_NS = 20_000_000_000


@pytest.fixture
def engine(valkey):
    """On a server that a test may kill; it is asked again soon."""
    with open_engine(valkey.unix, break_after=2, break_for=0.2) as opened:
        yield opened


def until_back(limit: Any) -> None:
    """Calls until the engine answers."""
    until = CLOCK.now_ns() + LONGEST_NS
    while limit.stats().away:
        assert CLOCK.now_ns() < until
        limit.try_acquire()
        CLOCK.sleep(0.02)


def asked(limit: Any, times: int, *, tasks: bool) -> list[bool]:
    """try_acquire that often, on either face."""
    if not tasks:
        return [limit.try_acquire() for _ in range(times)]

    async def run() -> list[bool]:
        return [await limit.try_acquire_async() for _ in range(times)]

    return asyncio.run(run())


@pytest.mark.parametrize("tasks", [False, True], ids=["threads", "tasks"])
@pytest.mark.parametrize(("away", "admitted"), [("open", 12), ("closed", 0), ("local share", 3)])
def test_what_happens_while_the_engine_is_away_is_chosen(valkey, engine, away, admitted, tasks):
    """Open admits all, closed none, the local share its part; counted, told, and over when the server is back."""
    limit = limits.TokenBucket(
        9, per=10_000, engine=engine, name="api", namespace=f"n{admitted}", away=away, share=3, within=0.5
    )
    told: list[Any] = []
    limit.away_changed.connect(told.append, weak=False)
    assert asked(limit, 1, tasks=tasks) == [True]
    assert not limit.stats().away
    valkey.kill()
    assert sum(asked(limit, 12, tasks=tasks)) == admitted
    stats = limit.stats()
    assert (stats.away, stats.away_admitted, stats.away_refused, stats.outages) == (True, admitted, 12 - admitted, 1)
    assert (stats.admitted, stats.refused) == (1 + admitted, 12 - admitted)
    valkey.start()
    until_back(limit)
    assert [(one.name, one.away, one.policy, one.error is None) for one in told] == [
        ("api", True, away, False),
        ("api", False, away, True),
    ]
    assert not limit.stats().away


def test_closed_says_that_the_engine_is_away(valkey, engine):
    """The refusal has a state of its own and says when to come again; nobody waits."""
    limit = limits.FixedWindow(9, window=10_000, engine=engine, name="api", away="closed", within=0.5)
    valkey.kill()
    with pytest.raises(RateLimited) as refused:
        limit.acquire()
    assert str(refused.value) == f"api is at its limit, and {engine.name} is away; retry in 0.2 s"
    assert (refused.value.state, refused.value.retry_after) == ("away", 0.2)


def test_the_local_share_makes_wait_too(valkey, engine):
    """First come first served at the pace of the share, by key and without."""
    limit = limits.TokenBucket(100, burst=4, engine=engine, name="api", share=2, within=0.5)
    valkey.kill()
    for _ in range(4):
        limit.acquire()
    with pytest.raises(RateLimited):
        limit.acquire(timeout=0)
    keyed = limit.keyed(max_keys=10)
    assert [keyed.try_acquire("a") for _ in range(3)] == [True, True, False]
    keyed.acquire("a", timeout=5)
    with pytest.raises(RateLimited):
        keyed.acquire("a", 3, timeout=1)  # more than the share ever holds


def test_several_levels_keep_to_their_shares_together(valkey, engine):
    """All or none, as in the engine."""
    wide = limits.TokenBucket(10, per=10_000, engine=engine, name="wide")
    narrow = limits.SlidingWindow(4, window=10_000, engine=engine, name="narrow")
    levels = limits.Hierarchy(wide, narrow, share=2, within=0.5)
    valkey.kill()
    assert [levels.try_acquire(("a",)) for _ in range(3)] == [True, True, False]
    assert [levels.try_acquire((name,)) for name in "bbcc"] == [True, True, True, False]
    assert levels.check(("d",)).name == "wide"


def test_a_leased_limit_uses_what_it_holds_and_then_its_away_policy(valkey, engine):
    """And leases again when the server is back."""
    limit = limits.FixedWindow(100, window=10_000, engine=engine, name="api", away="closed", within=0.5)
    leased = limit.leased(fraction=0.5, ttl=60)
    for _ in range(10):
        assert leased.try_acquire()
    held = leased.held
    assert held > 0
    valkey.kill()
    assert sum(leased.try_acquire() for _ in range(20)) == held
    stats = leased.stats()
    assert (stats.away, stats.away_refused) == (True, 20 - held)
    leased.give_back()
    valkey.start()
    until_back(leased)
    assert leased.try_acquire()


def test_a_retry_budget_without_its_engine_has_only_what_calls_pay(valkey, engine):
    """Nothing is free then, and nothing waits for long."""
    budget = limits.DistributedRetryBudget(0.5, engine=engine, name="payments", within=0.5)
    valkey.kill()
    assert not budget.withdraw()
    budget.deposit()
    budget.deposit()
    assert [budget.withdraw() for _ in range(2)] == [True, False]
    assert budget.stats()[3:] == (2, 0, True)


def test_breakers_without_their_engine_are_on_their_own(valkey, engine):
    """Nobody is refused because of others."""
    breakers = [sw.CircuitBreaker("payments", failure_ratio=None, consecutive=1, open_for=60) for _ in range(2)]
    shared = [limits.SharedBreaker(one, engine=engine, refresh=0.01, within=0.5) for one in breakers]
    with pytest.raises(ConnectionError):
        sw.Pipeline(shared[0], breakers[0]).call(fail)
    with pytest.raises(CircuitOpen):
        sw.Pipeline(shared[0], breakers[0]).call(len, "abc")
    CLOCK.sleep(0.02)
    with pytest.raises(CircuitOpen):
        sw.Pipeline(shared[1], breakers[1]).call(len, "abc")
    assert shared[1].open_elsewhere == 1
    valkey.kill()
    CLOCK.sleep(0.02)
    assert sw.Pipeline(shared[1], breakers[1]).call(len, "abc") == 3
    assert shared[1].stats().away


def fail() -> None:
    """What the callee does when it is broken."""
    raise ConnectionError
