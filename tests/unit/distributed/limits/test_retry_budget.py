"""A retry budget over several processes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.distributed.limits import DistributedRetryBudget
from seawall.engines import open_engine
from seawall.errors import ConfigError


@pytest.fixture
def clock() -> ManualClock:
    """Moves by itself when all wait."""
    return ManualClock(1_000.0, autojump=True)


@pytest.fixture
def engine(clock):
    """In memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


def budget(engine: Any, clock: ManualClock, ratio: float = 0.5) -> DistributedRetryBudget:
    """Of one process; two free retries a second for all, twenty at once."""
    return DistributedRetryBudget(ratio, min_per_second=2, window=10, engine=engine, name="payments", clock=clock)


def test_what_is_free_is_there_once_for_all(engine, clock):
    """Three processes have twenty together, and two more a second later."""
    budgets = [budget(engine, clock, ratio=0) for _ in range(3)]
    assert sum(budgets[i % 3].withdraw() for i in range(90)) == 20
    clock.advance(1)
    assert sum(budgets[i % 3].withdraw() for i in range(90)) == 2
    assert sum(one.stats().reserved for one in budgets) == 22
    assert sum(one.stats().refused for one in budgets) == 158


def test_what_calls_pay_is_theirs(engine, clock):
    """Each first attempt pays in its own process, before anything is taken of the reserve."""
    here, there = budget(engine, clock), budget(engine, clock)
    for _ in range(10):
        here.deposit()
    assert [here.withdraw() for _ in range(5)] == [True] * 5
    assert here.stats().reserved == 0
    assert sum(there.withdraw() for _ in range(30)) == 20
    assert not here.withdraw()


def test_a_retry_spends_it(engine, clock):
    """In threads at once; in tasks what is held, and more is fetched meanwhile."""
    here = budget(engine, clock, ratio=0)
    retry = sw.Retry(3, on=(ConnectionError,), backoff=0.01, budget=here, clock=clock)

    def fail() -> None:
        raise ConnectionError

    async def fail_async() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        retry.call(fail)
    assert here.stats().reserved == 2

    async def run() -> None:
        for _ in range(20):
            with pytest.raises(ConnectionError):
                await retry.call_async(fail_async)
            await asyncio.sleep(0)

    asyncio.run(run())
    assert 10 <= here.stats().reserved <= 20
    assert here.stats().refused >= 10


def test_what_can_never_work_is_refused(engine, clock):
    """Without a reserve a local budget does the same."""
    with pytest.raises(ConfigError) as refused:
        DistributedRetryBudget(min_per_second=0, engine=engine, name="x")
    assert str(refused.value) == (
        "min_per_second must be above 0, got 0; without a reserve there is nothing to share: use a RetryBudget"
    )
    with pytest.raises(ConfigError, match=r"^x cannot be changed while running"):
        DistributedRetryBudget(engine=engine, name="x").reconfigure(0.5)
