"""A leased limit decides in this process, and asks the engine seldom."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.distributed import limits
from seawall.engines import open_engine
from seawall.errors import ConfigError, RateLimited


@pytest.fixture
def clock() -> ManualClock:
    """Moves by itself when all wait."""
    return ManualClock(1_000.0, autojump=True)


@pytest.fixture
def engine(clock):
    """In memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


def lease(engine: Any, limit: int = 100, *, per: float = 1.0, fraction: float = 0.1, **more: Any) -> limits.Leased:
    """Of a token bucket."""
    return limits.TokenBucket(limit, per=per, engine=engine, name="api", **more).leased(fraction=fraction, ttl=1)


def test_batches_grow_and_the_engine_is_asked_seldom(engine):
    """One, two, four ... up to a tenth of the limit; then one question for each batch."""
    leased = lease(engine, 1000)
    batches = []
    for _ in range(600):
        assert leased.try_acquire()
        if (batch := leased.stats().batch) not in batches:
            batches.append(batch)
    assert batches == [1, 2, 4, 8, 16, 32, 64, 100]
    assert leased.stats()[11:] == (27, 100, 100)


def test_all_of_the_limit_is_admitted_and_no_more(engine):
    """By one process; what is left of the last batch stays for it alone."""
    leased, plain = lease(engine, 100, per=1000), limits.TokenBucket(100, per=1000, engine=engine, name="api")
    assert sum(leased.try_acquire() for _ in range(95)) == 95
    held = leased.held
    assert plain.peek().remaining == 5 - held
    assert sum(leased.try_acquire() for _ in range(95)) == 5
    stats = leased.stats()
    assert (stats.admitted, stats.refused) == (100, 90)


def test_a_refusal_says_when_and_asks_nobody_until_then(engine, clock):
    """Once the engine has said that there is nothing, the answer comes from here."""
    leased, plain = lease(engine, 10, fraction=1), limits.TokenBucket(10, engine=engine, name="api")
    assert sum(leased.try_acquire() for _ in range(12)) == 10
    assert leased.check() == (False, 10, 0, 0.1, 0.0, "api", None)
    clock.advance(0.05)
    plain.reconfigure(1000)  # there would be room, were it asked for
    assert not leased.try_acquire()
    assert leased.check().retry_after == 0.05
    clock.advance(0.05)
    assert leased.try_acquire()


def test_what_was_not_used_lapses_and_is_given_back(engine, clock):
    """With the next question, or by hand; smaller batches follow."""
    leased = limits.FixedWindow(100, window=1000, engine=engine, name="api").leased(fraction=0.5, ttl=1)
    plain = limits.FixedWindow(100, window=1000, engine=engine, name="api")
    for _ in range(20):
        leased.try_acquire()
    assert (leased.held, plain.peek().remaining) == (11, 69)
    clock.advance(1)
    assert leased.held == 0
    assert leased.try_acquire()
    assert leased.stats().batch == 5  # as many as were used of the last one
    assert plain.peek().remaining == 75
    leased.give_back()
    assert (leased.held, plain.peek().remaining) == (0, 79)
    leased.give_back()
    asyncio.run(leased.give_back_async())
    assert plain.peek().remaining == 79


def test_a_cost_above_a_batch_is_asked_for_as_it_is(engine):
    """All of it or nothing."""
    leased = lease(engine, 100, per=1000)
    assert leased.try_acquire(60)
    assert not leased.try_acquire(50)
    assert leased.try_acquire(40)
    with pytest.raises(ValueError, match=r"^cost 101 can never be admitted: api holds at most 100"):
        leased.try_acquire(101)


def test_waiters_of_both_faces_get_through(engine, clock):
    """Threads and tasks, at the pace of the limit; nobody is counted as refused meanwhile."""
    leased = lease(engine, 10, fraction=0.5)
    began = clock.now_ns()
    threads = [threading.Thread(target=leased.acquire) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()

    async def run() -> None:
        await asyncio.gather(*(leased.acquire_async() for _ in range(10)))
        assert not await leased.try_acquire_async()
        assert not (await leased.peek_async()).admitted

    asyncio.run(run())
    assert clock.now_ns() - began == pytest.approx(2_000_000_000, abs=2_000)
    stats = leased.stats()
    assert (stats.admitted, stats.refused, stats.waiting) == (30, 1, 0)
    with pytest.raises(RateLimited, match=r"^api is at its limit; retry in 0\.1 s$"):
        leased.acquire(timeout=0.05)
    with pytest.raises(RateLimited, match=r"^api is at its limit; retry in [\d.]+ s$"):
        leased.acquire(5, timeout=0.05)


def test_it_guards_stands_in_pipelines_and_knows_shadow(engine):
    """As every limit does."""
    leased = lease(engine, 4, per=1000, fraction=1)
    assert sw.Pipeline(sw.Retry(2), leased).call(len, "abc") == 3

    @leased
    async def one() -> int:
        return 1

    assert asyncio.run(one()) == 1
    with leased:
        assert leased.peek().admitted
    assert leased.stats().admitted == 3
    shadow = limits.TokenBucket(1, per=1000, engine=engine, name="other", shadow=True).leased()
    assert [shadow.try_acquire() for _ in range(3)] == [True] * 3
    assert sw.Pipeline(shadow).call(len, "ab") == 2
    assert (shadow.stats().admitted, shadow.stats().refused, shadow.let_through) == (1, 3, 3)


def test_renewed_ahead_there_is_always_something(engine, clock):
    """`keep_renewed` is yours to run, and to cancel; `renew` does it once."""
    leased = lease(engine, 1000)

    async def run() -> list[int]:
        assert leased.try_acquire()
        keeper = asyncio.create_task(leased.keep_renewed())
        held = []
        for _ in range(20):
            await clock.sleep_async(0.3)
            held.append(leased.held)
        keeper.cancel()
        return held

    assert all(asyncio.run(run()))
    clock.advance(5)
    assert not leased.held
    leased.renew()
    assert leased.held


def test_a_forked_child_begins_with_nothing(engine):
    """What was leased is the parent's."""
    leased = lease(engine, 1000)
    for _ in range(20):
        leased.try_acquire()
    assert leased.held == 11
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"%d" % leased.held)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0"
    os.close(read)
    os.close(write)
    assert leased.held == 11


def test_reconfigured_it_asks_by_the_new_limit(engine):
    """What is held stays usable."""
    leased = lease(engine, 100, per=1000)
    for _ in range(5):
        leased.try_acquire()
    leased.reconfigure(1000, per=1000)
    assert (leased.held, leased.most) == (2, 100)
    assert leased.try_acquire()
    assert repr(leased) == "<Leased 'api': 1 per second, at most 1000, up to 100 ahead for 1 s in memory://>"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda e: limits.LeakyBucket(1, capacity=5, engine=e, name="x").leased(),
            "only TokenBucket, FixedWindow, SlidingWindow and SlidingLog can be leased, got <LeakyBucket 'x'",
        ),
        (lambda e: limits.distribute("1/s; 5/minute", engine=e, name="x").leased(), "only TokenBucket, "),
        (lambda e: limits.TokenBucket(1, engine=e, name="x").leased(fraction=0), "fraction must be above 0"),
        (lambda e: limits.TokenBucket(1, engine=e, name="x").leased(ttl=0), "ttl must be "),
    ],
)
def test_what_can_never_work_is_refused(engine, make, message):
    """The message says what can."""
    with pytest.raises(ConfigError) as refused:
        make(engine)
    assert str(refused.value).startswith(message)
