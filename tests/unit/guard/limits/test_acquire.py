"""Waiting for a place: threads, tasks, timeouts and deadlines."""

import asyncio
import re

import pytest
from tests.oracles.pairs import NAMES, pair
from tests.parking import ParkingClock, Queue, settle

import seawall as sw
from seawall.clock import ManualClock


def jumping(limit_class=sw.TokenBucket, *args, **options):
    """A limit on a clock that jumps to what it waits for."""
    clock = ManualClock(autojump=True)
    return limit_class(*args, clock=clock, **options), clock


def test_a_thread_waits_exactly_until_its_place():
    """Calls past the burst wait a tenth of a second each."""
    limit, clock = jumping(sw.TokenBucket, 10, burst=2)
    times = []
    for _ in range(5):
        limit.acquire()
        times.append(clock.now_ns())
    assert times == [0, 0, 100_000_000, 200_000_000, 300_000_000]


async def test_tasks_wait_exactly_until_their_places():
    """Tasks that ask at once get through in the order they asked, each at its instant."""
    limit, clock = jumping(sw.TokenBucket, 10, burst=2)
    through = []

    async def call(name):
        await limit.acquire_async()
        through.append((name, clock.now_ns()))

    await asyncio.gather(*(call(name) for name in "abcde"))
    assert through == [("a", 0), ("b", 0), ("c", 100_000_000), ("d", 200_000_000), ("e", 300_000_000)]


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_waits_as_its_oracle_says(name):
    """The instants at which waiting calls of any cost get through are those of the oracle."""
    both = pair(name, amount=7, limit=7)
    both.clock.autojump = True
    for cost in (3, 1, 2, 4, 1, 5, 2):
        due = both.oracle.reserve(both.now, cost)
        both.limit.acquire(cost)
        assert both.now == due


def test_threads_get_through_first_come_first_served():
    """Threads that wait get through one by one in the order they came, when their time has come."""
    clock = ParkingClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    limit.acquire()
    queue = Queue(clock)
    for name in "abc":
        queue.join(name, limit.acquire)
    assert limit.stats().waiting == 3
    for name, time in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        clock.advance(0.1)
        assert queue.next() == (name, time)
    queue.close()
    assert limit.stats()[2:6] == (4, 0, 0, 0)


def test_a_heavy_call_is_not_starved_by_a_loop_of_light_ones():
    """While a call of cost 10 waits, no lighter call passes, and it gets through when ten have refilled."""
    clock = ParkingClock()
    limit = sw.TokenBucket(10, burst=10, clock=clock)
    limit.acquire(10)
    queue = Queue(clock)
    queue.join("heavy", limit.acquire, 10)
    light = 0
    for _ in range(10):
        light += sum(limit.try_acquire() for _ in range(5))
        clock.advance(0.1)
    assert light == 0
    assert queue.next() == ("heavy", 1.0)
    queue.close()


async def test_light_tasks_queue_behind_a_heavy_one():
    """Light calls that come after a heavy one get through after it."""
    limit, clock = jumping(sw.TokenBucket, 10, burst=10)
    limit.acquire(10)
    through = []

    async def call(name, cost):
        await limit.acquire_async(cost)
        through.append((name, clock.time()))

    await asyncio.gather(call("heavy", 10), call("light", 1), call("next", 2))
    assert through == [("heavy", 1.0), ("light", 1.1), ("next", 1.3)]


@pytest.mark.parametrize("wait", [0.1, 0.021, 1.7, 123_456.789_012_345])
def test_a_timeout_as_long_as_the_wait_is_enough_and_a_nanosecond_less_is_not(wait):
    """Timeouts are exact to the nanosecond."""
    limit, clock = jumping(sw.TokenBucket, 1, per=wait, burst=1)
    limit.acquire()
    due = limit.peek().retry_after
    with pytest.raises(sw.RateLimited) as refused:
        limit.acquire(timeout=(round(due * 1e9) - 1) / 1e9)
    assert refused.value.retry_after == due
    assert clock.now_ns() == 0
    limit.acquire(timeout=due)
    assert clock.time() == due


def test_every_timeout_of_whole_microseconds_is_enough_for_its_own_length():
    """No wait is refused because its length in seconds is not a float."""
    for microseconds in range(1, 3000, 7):
        limit, _ = jumping(sw.TokenBucket, 1, per=microseconds / 1e6, burst=1)
        limit.acquire()
        limit.acquire(timeout=microseconds / 1e6)


def test_a_wait_that_would_outlast_its_timeout_is_refused_at_once():
    """The refusal comes before any time has passed, says when, takes nothing and is counted."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    limit.acquire()
    with pytest.raises(sw.RateLimited, match=f"^{re.escape('token_bucket is at its limit; retry in 0.1 s')}$"):
        limit.acquire(timeout=0.05)
    with pytest.raises(sw.RateLimited, match=f"^{re.escape('token_bucket is at its limit; retry in 0.1 s')}$"):
        limit.acquire(timeout=0)
    assert limit.stats()[2:6] == (1, 2, 0, 0)
    assert limit.peek().retry_after == 0.1


def test_a_deadline_counts_like_a_timeout():
    """What the Deadline in context leaves is the longest wait; the shorter of it and the timeout counts."""
    limit, clock = jumping(sw.TokenBucket, 10, burst=1)
    limit.acquire()
    with sw.Deadline(0.099_999_999, clock=clock), pytest.raises(sw.RateLimited):
        limit.acquire(timeout=10)
    with sw.Deadline(10, clock=clock), pytest.raises(sw.RateLimited):
        limit.acquire(timeout=0.05)
    with sw.Deadline(0.1, clock=clock):
        limit.acquire()
    assert clock.time() == 0.1


async def test_tasks_are_refused_at_once_too():
    """acquire_async raises before any time has passed when the wait would outlast timeout or Deadline."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    await limit.acquire_async()
    with pytest.raises(sw.RateLimited):
        await limit.acquire_async(timeout=0.05)
    with sw.Deadline(0.05, clock=clock), pytest.raises(sw.RateLimited):
        await limit.acquire_async()
    assert limit.stats()[2:6] == (1, 2, 0, 0)


def test_a_free_place_needs_no_time():
    """A timeout of nothing, or a Deadline that has passed, is enough when a place is free."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=3, clock=clock)
    limit.acquire(timeout=0)
    with sw.Deadline(1, clock=clock):
        clock.advance(2)
        limit.acquire()


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        (-1, "timeout must be 0 s to 2.8823e+08 s, got -1"),
        (float("nan"), "timeout must be 0 s to 2.8823e+08 s, got nan"),
        (float("inf"), "timeout must be 0 s to 2.8823e+08 s, got inf"),
        (True, "timeout must be seconds (a number) or a timedelta, got True"),
        ("1", "timeout must be seconds (a number) or a timedelta, got '1'"),
    ],
)
def test_a_timeout_of_no_meaning_is_an_error(timeout, message):
    """A timeout that is no length of time says so, and takes nothing."""
    limit = sw.TokenBucket(10, burst=1, clock=ManualClock())
    limit.acquire()
    before = limit.stats(), limit.peek()
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        limit.acquire(timeout=timeout)
    assert (limit.stats(), limit.peek()) == before


async def test_threads_and_tasks_wait_in_one_line():
    """A limit shared by a thread and tasks of a loop lets them through in the order they came."""
    clock = ParkingClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    limit.acquire()
    queue = Queue(clock)
    first = asyncio.ensure_future(limit.acquire_async())
    await settle()
    queue.join("thread", limit.acquire)
    last = asyncio.ensure_future(limit.acquire_async())
    await settle()
    clock.advance(0.1)
    await first
    clock.advance(0.1)
    assert queue.next() == ("thread", 0.2)
    assert not last.done()
    clock.advance(0.1)
    await last
    queue.close()
