"""New limits for a limit in use: nothing is forgotten, waiters keep their order."""

import asyncio
import re

import pytest
from tests.oracles.pairs import NAMES, pair
from tests.parking import settle

import seawall as sw
from seawall.clock import ManualClock

NEW = {
    "token_bucket": ((20,), {"burst": 20}),
    "leaky_bucket": ((20,), {"capacity": 20}),
    "fixed_window": ((20,), {"window": 1}),
    "sliding_window": ((20,), {"window": 1}),
    "sliding_log": ((20,), {"window": 1}),
}


def taken(name):
    """Ten a second, ten at once, six taken."""
    both = pair(name, 10, 1.0, 10)
    both.limit.try_acquire(6)
    return both


@pytest.mark.parametrize("name", NAMES)
def test_what_was_admitted_still_counts(name):
    """Six taken of ten leave fourteen of twenty."""
    limit = taken(name).limit
    args, options = NEW[name]
    limit.reconfigure(*args, **options)
    assert limit.limit == 20
    assert limit.peek().remaining == 14


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_is_as_before(name):
    """Changing a limit and changing it back leaves what remains as it was."""
    both = taken(name)
    before = both.limit.peek()
    args, options = NEW[name]
    both.limit.reconfigure(*args, **options)
    old = {key: 10 if key != "window" else 1 for key in options}
    both.limit.reconfigure(10, **old)
    assert both.limit.peek() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_below_what_was_taken_admits_nothing_until_it_fits(name):
    """With a limit below what is taken nothing remains, and later it fills to the new limit only."""
    both = taken(name)
    _, options = NEW[name]
    both.limit.reconfigure(3, **{key: 3 if key != "window" else 1 for key in options})
    assert both.limit.peek().remaining == 0
    assert not both.limit.try_acquire()
    both.clock.advance(100)
    assert both.limit.peek().remaining == 3


def test_a_debt_is_kept_in_calls_not_in_time():
    """Ten owed at ten a second are owed at one a second too: they take ten seconds then."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=10, clock=clock)
    limit.acquire(10)
    limit.reconfigure(1, burst=10)
    assert (limit.peek().remaining, limit.peek().retry_after, limit.peek().reset_after) == (0, 1.0, 10.0)


@pytest.mark.parametrize("name", NAMES)
def test_many_changes_in_a_row_forget_nothing(name):
    """Hundred changes to and fro keep the six that were taken."""
    both = taken(name)
    args, options = NEW[name]
    for _ in range(50):
        both.limit.reconfigure(*args, **options)
        both.limit.reconfigure(10, **{key: 10 if key != "window" else 1 for key in options})
    assert both.limit.peek().remaining == 4


async def through(limit, clock, costs, change):
    """Who got through when, of tasks that wait while `change` is called."""
    seen = []

    async def call(name, cost):
        try:
            await limit.acquire_async(cost)
        except (sw.RateLimited, ValueError) as error:
            seen.append((name, str(error)))
        else:
            seen.append((name, clock.time()))

    tasks = []
    for name, cost in enumerate(costs):
        tasks.append(asyncio.ensure_future(call(name, cost)))
        await settle()
    change()
    clock.autojump = True
    await clock.sleep_async(10_000)
    await asyncio.gather(*tasks)
    return seen


def empty_bucket():
    """Ten a second, ten at once, all taken."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=10, clock=clock)
    limit.acquire(10)
    return limit, clock


async def test_waiters_get_new_places_in_the_same_order():
    """At half the rate everybody who waits waits twice as long, still in the order they came."""
    limit, clock = empty_bucket()
    seen = await through(limit, clock, (1, 5, 1), lambda: limit.reconfigure(5, burst=10))
    assert seen == [(0, 0.2), (1, 1.2), (2, 1.4)]


async def test_waiters_profit_from_a_higher_limit_at_once():
    """When the new burst has room for all who wait, all pass now."""
    limit, clock = empty_bucket()
    seen = await through(limit, clock, (1, 5, 1), lambda: limit.reconfigure(10, burst=20))
    assert seen == [(0, 0.0), (1, 0.0), (2, 0.0)]


async def test_a_waiter_that_can_never_pass_any_more_is_told_and_the_others_keep_their_order():
    """A waiting call whose cost is above the new limit raises; those behind move up."""
    limit, clock = empty_bucket()
    seen = await through(limit, clock, (1, 5, 1), lambda: limit.reconfigure(10, burst=3))
    message = "cost 5 can never be admitted: token_bucket holds at most 3; raise its limit or split the call"
    assert seen == [(1, message), (0, 0.8), (2, 0.9)]
    assert limit.stats().waiting == 0


async def test_a_queue_that_shrinks_refuses_those_who_no_longer_fit():
    """Waiters beyond the new capacity of a leaky bucket are refused; the first keep their places."""
    clock = ManualClock()
    limit = sw.LeakyBucket(10, capacity=5, clock=clock)
    limit.acquire()
    seen = await through(limit, clock, (1, 1, 1), lambda: limit.reconfigure(10, capacity=2))
    assert sorted(seen, key=lambda one: one[0]) == [
        (0, 0.1),
        (1, "leaky_bucket is at its limit; retry in 0.1 s"),
        (2, "leaky_bucket is at its limit; retry in 0.1 s"),
    ]


async def test_a_change_that_fails_leaves_everybody_where_they_were():
    """A configuration that cannot work is refused and waiters still get through at their old times."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    limit.acquire()

    def change():
        message = (
            "100 at 1 per 3.1536e+07 s would take more than nine years to refill; use a smaller limit or a higher rate"
        )
        with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
            limit.reconfigure(1, per=31_536_000, burst=100)

    assert await through(limit, clock, (1, 1, 1), change) == [(0, 0.1), (1, 0.2), (2, 0.3)]


async def test_a_log_cannot_grow_past_its_room_and_says_how():
    """A sliding log reconfigures up to the room it was made with; waiters survive the refusal."""
    clock = ManualClock()
    limit = sw.SlidingLog(100, window=1, clock=clock)
    limit.acquire(100)
    message = "a limit of 200 needs more room than was reserved: at most 127; create the log with max_limit="

    def change():
        with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
            limit.reconfigure(200, window=1)

    assert await through(limit, clock, (1, 1), change) == [(0, 1.0), (1, 1.0)]


def test_a_log_with_max_limit_grows_to_it():
    """max_limit reserves the room for a later reconfigure."""
    limit = sw.SlidingLog(3, window=1, max_limit=500, clock=ManualClock())
    limit.acquire(3)
    limit.reconfigure(500, window=1)
    assert limit.try_acquire(497)
    assert not limit.try_acquire()


def test_workers_on_one_segment_follow_at_once(segment_name):
    """Everybody who attached to the slot decides by the new limits with the next call."""
    clock = ManualClock()
    one = sw.TokenBucket(10, burst=10, shared=segment_name, clock=clock)
    other = sw.TokenBucket(10, burst=10, shared=segment_name, clock=clock)
    other.acquire(6)
    one.reconfigure(20, burst=20)
    assert other.limit == 20
    assert other.peek().remaining == 14
    assert other.stats().settings == "20 per second, at most 20"


def test_keyed_limits_change_for_every_key_and_every_worker(segment_name):
    """A keyed reconfigure keeps what each key has taken."""
    clock = ManualClock()
    one = sw.TokenBucket(10, burst=10, shared=segment_name, clock=clock).keyed(100)
    other = sw.TokenBucket(10, burst=10, shared=segment_name, clock=clock).keyed(100)
    for key in range(50):
        other.try_acquire(key, 1 + key % 10)
    one.reconfigure(20, burst=20)
    assert [other.peek(key).remaining for key in range(50)] == [19 - key % 10 for key in range(50)]
    assert other.limit == 20


async def test_keyed_waiters_follow_a_change():
    """Tasks that wait by key get places under the new limits."""
    clock = ManualClock()
    keyed = sw.TokenBucket(10, burst=1, clock=clock).keyed(100)
    keyed.acquire("x")
    task = asyncio.ensure_future(keyed.acquire_async("x"))
    await settle()
    keyed.reconfigure(2, burst=1)
    clock.advance(0.4)
    await settle()
    assert not task.done()
    clock.advance(0.1)
    await task
