"""A waiter that leaves gives its place back, and those behind move up exactly."""

import asyncio

import pytest
from tests.oracles.pairs import NAMES, pair
from tests.parking import settle

import seawall as sw
from seawall.clock import ManualClock


class Line:
    """Tasks that wait on one limit, and when they got through."""

    def __init__(self, limit, clock):
        self.limit, self.clock = limit, clock
        self.through = {}
        self.tasks = {}

    async def join(self, name, cost=1):
        """Ask, and return when the task waits."""

        async def call():
            await self.limit.acquire_async(cost)
            self.through[name] = self.clock.now_ns()

        self.tasks[name] = asyncio.ensure_future(call())
        await settle()

    async def leave(self, name):
        """Cancel a task that waits."""
        self.tasks[name].cancel()
        await settle()
        assert self.tasks[name].cancelled()

    async def finish(self):
        """Let time jump from place to place until nobody waits."""
        self.clock.autojump = True
        await self.clock.sleep_async(1000)


def bucket_line():
    """Ten a second, one at once, already taken."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    limit.acquire()
    return Line(limit, clock)


@pytest.mark.parametrize("leaver", ["a", "b", "c", "d"])
async def test_whoever_leaves_those_behind_move_up_by_exactly_one_place(leaver):
    """Wherever the leaver stood, the others get through as if it had never come, in the same order."""
    line = bucket_line()
    for name in "abcd":
        await line.join(name)
    await line.leave(leaver)
    assert line.limit.stats().waiting == 3
    await line.finish()
    rest = [name for name in "abcd" if name != leaver]
    assert line.through == {name: 100_000_000 * (i + 1) for i, name in enumerate(rest)}
    assert list(line.through) == rest
    stats = line.limit.stats()
    assert (stats.admitted, stats.refused, stats.waiting) == (4, 0, 0)


async def test_several_may_leave_at_once():
    """Two that leave before anybody wakes make room for both behind."""
    line = bucket_line()
    for name in "abcde":
        await line.join(name)
    for name in "bd":
        line.tasks[name].cancel()
    await settle()
    await line.finish()
    assert line.through == {"a": 100_000_000, "c": 200_000_000, "e": 300_000_000}


async def test_all_may_leave():
    """When every waiter has left, the limit is as if none had come."""
    line = bucket_line()
    before = line.limit.peek()
    for name in "abc":
        await line.join(name)
    for name in "bac":
        await line.leave(name)
    assert line.limit.peek() == before
    assert line.limit.stats()[2:6] == (1, 0, 0, 0)


async def test_a_heavy_waiter_that_leaves_frees_all_of_its_cost():
    """Those behind a heavy call that gives up pass at once when there is enough for them."""
    clock = ManualClock()
    line = Line(sw.TokenBucket(10, burst=10, clock=clock), clock)
    line.limit.acquire(5)
    await line.join("heavy", 10)
    await line.join("light", 2)
    assert line.through == {}
    await line.leave("heavy")
    assert line.through == {"light": 0}
    assert line.limit.peek().remaining == 3


async def test_a_leaver_after_some_time_gives_back_exactly_its_place():
    """Leaving in the middle of a wait moves the next to where it would have been."""
    line = bucket_line()
    await line.join("a", 1)
    await line.join("b", 1)
    line.clock.advance(0.05)
    await settle()
    await line.leave("a")
    await line.finish()
    assert line.through == {"b": 100_000_000}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("leaver", [0, 1, 2, 3])
async def test_in_every_limit_the_others_go_when_the_oracle_says(name, leaver):
    """With calls of mixed cost, the rest go at the instants of an oracle that never saw the leaver."""
    both = pair(name, amount=10, limit=7)
    first, costs = 3, (2, 4, 1, 3)
    if name != "leaky_bucket":
        both.oracle.take(0, 7)
        both.limit.acquire(7)
    else:
        both.oracle.take(0, first)
        both.limit.acquire(first)
        costs = (1, 1, 1, 1)
    line = Line(both.limit, both.clock)
    for i, cost in enumerate(costs):
        await line.join(i, cost)
    await line.leave(leaver)
    await line.finish()
    expected = {i: both.oracle.reserve(0, cost) for i, cost in enumerate(costs) if i != leaver}
    assert line.through == expected


async def test_a_place_taken_by_reserve_behind_stands_still():
    """A permit behind the line is never moved, so who waits before it keeps its time."""
    line = bucket_line()
    await line.join("a")
    await line.join("b")
    permit = line.limit.reserve()
    await line.leave("a")
    assert permit.at_ns == 300_000_000
    await line.finish()
    assert line.through == {"b": 200_000_000}


async def test_cancelling_a_keyed_waiter_moves_up_those_of_its_key_only():
    """Keys have lines of their own, which disappear when empty."""
    clock = ManualClock()
    keyed = sw.TokenBucket(10, burst=1, clock=clock).keyed(max_keys=10)
    through = []

    async def call(key, name):
        await keyed.acquire_async(key)
        through.append((name, clock.time()))

    for key in ("x", "y"):
        keyed.acquire(key)
    tasks = [asyncio.ensure_future(call(key, f"{key}{i}")) for i in range(2) for key in ("x", "y")]
    await settle()
    assert keyed.stats().waiting == 4
    tasks[0].cancel()
    await settle()
    for _ in range(3):
        clock.advance(0.1)
        await settle()
    assert sorted(through) == [("x1", 0.1), ("y0", 0.1), ("y1", 0.2)]
    assert keyed._lines == {}
