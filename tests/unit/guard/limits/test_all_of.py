"""Several limits as one."""

import asyncio
import re

import pytest
from tests.parking import settle

import seawall as sw
from seawall.clock import ManualClock


def both(*, autojump=False, fast=10, slow=3):
    """Ten at once and ten a second, and three a minute, as one."""
    clock = ManualClock(autojump=autojump)
    first = sw.TokenBucket(10, burst=fast, clock=clock, name="fast")
    second = sw.FixedWindow(slow, window=60, clock=clock, name="slow")
    return sw.AllOf(first, second), first, second, clock


def test_it_admits_what_all_admit():
    """The tightest limit decides, and a refused call takes nothing from the others."""
    limit, first, second, _ = both()
    assert sum(limit.try_acquire() for _ in range(20)) == 3
    assert (first.peek().remaining, second.peek().remaining) == (7, 0)


def test_a_call_refused_by_the_last_takes_nothing_from_the_first():
    """Whatever the order, all or none."""
    limit, first, second, _ = both(fast=2)
    for _ in range(5):
        limit.try_acquire()
    assert (first.peek().remaining, second.peek().remaining) == (0, 1)
    assert sw.AllOf(second, first).try_acquire() is False
    assert (first.peek().remaining, second.peek().remaining) == (0, 1)


def test_a_cost_is_taken_from_each():
    """A call of cost 2 takes two of every limit."""
    limit, first, second, _ = both()
    assert limit.try_acquire(2)
    assert not limit.try_acquire(2)
    assert (first.peek().remaining, second.peek().remaining) == (8, 1)


def test_its_decision_is_the_tightest_of_all():
    """An admission names the whole; a refusal names who refused, with the longest wait."""
    limit, *_ = both()
    assert limit.peek() == (True, 3, 3, 0.0, 0.0, "all_of", None)
    assert limit.check() == (True, 3, 2, 0.0, 60.0, "all_of", None)
    assert limit.check(2) == (True, 3, 0, 0.0, 60.0, "all_of", None)
    assert limit.check() == (False, 3, 0, 60.0, 60.0, "slow", None)


def test_a_refusal_is_counted_by_who_refused():
    """Stats shows each limit's admissions, and refusals where they arose."""
    limit, *_ = both()
    for _ in range(5):
        limit.try_acquire()
    assert [(one.name, one.admitted, one.refused) for one in limit.stats()] == [("fast", 3, 0), ("slow", 3, 2)]


def test_a_wait_ends_when_all_admit():
    """Acquire waits for the last of the places."""
    limit, _, _, clock = both(autojump=True)
    for _ in range(3):
        limit.acquire()
    assert clock.time() == 0.0
    limit.acquire()
    assert clock.time() == 60.0


def test_a_refused_wait_gives_every_place_back():
    """When one limit refuses for the timeout, the others are as before."""
    limit, first, _, _ = both()
    limit.acquire(3)
    before = first.peek()
    with pytest.raises(sw.RateLimited, match=r"^slow is at its limit; retry in 60 s$"):
        limit.acquire(timeout=59)
    assert first.peek() == before


async def test_who_waits_holds_nothing_and_leaves_nothing():
    """While a task waits for one limit the others serve everybody else; cancelling it lets the next come forward."""
    limit, first, second, clock = both()
    limit.acquire(3)
    before = first.peek(), second.peek()
    tasks = [asyncio.ensure_future(limit.acquire_async(2)) for _ in range(2)]
    await settle()
    assert (first.peek(), second.peek()) == before
    tasks[0].cancel()
    await settle()
    clock.advance(120)
    await settle()
    assert [task.cancelled() for task in tasks] == [True, False]
    assert tasks[1].done()


async def test_those_who_wait_come_in_order_and_never_exceed_a_faster_limit():
    """Many released together by a slow window still pass a fast limit at its own rate, first come first served."""
    clock = ManualClock(autojump=True)
    fast = sw.TokenBucket(10, burst=2, clock=clock, name="fast")
    slow = sw.FixedWindow(5, window=60, clock=clock, name="slow")
    limit = sw.AllOf(fast, slow)
    for _ in range(5):
        await limit.acquire_async()
    came: list[tuple[int, float]] = []

    async def come(n: int) -> None:
        await limit.acquire_async()
        came.append((n, clock.time()))

    await asyncio.gather(*(come(n) for n in range(5)))
    assert [n for n, _ in came] == [0, 1, 2, 3, 4]
    assert [round(at, 3) for _, at in came] == [60.0, 60.0, 60.1, 60.2, 60.3]


async def test_a_task_waits_for_all():
    """acquire_async returns when the last place is due."""
    limit, _, _, clock = both(autojump=True)
    await limit.acquire_async(3)
    await limit.acquire_async()
    assert clock.time() == 60.0


def test_a_joint_permit_is_due_now_and_cancels_all():
    """Reserve gives one permit for all places, none ahead."""
    limit, first, second, _ = both()
    before = first.peek(), second.peek()
    permit = limit.reserve(3)
    assert permit.wait == 0.0
    with pytest.raises(sw.RateLimited, match=r"^slow is at its limit; retry in 60 s$"):
        limit.reserve()
    assert permit.cancel() is True
    assert (first.peek(), second.peek()) == before
    assert permit.cancel() is False


def test_a_committed_joint_permit_stays_taken():
    """After commit nothing is given back."""
    limit, first, second, _ = both()
    permit = limit.reserve()
    permit.commit()
    assert permit.cancel() is False
    assert (first.peek().remaining, second.peek().remaining) == (9, 2)


def test_by_key_each_key_has_all_limits():
    """The keyed form admits each key through all limits or none."""
    limit, _, _, clock = both()
    keyed = limit.keyed(max_keys=100)
    for key in ("a", "b"):
        assert sum(keyed.try_acquire(key) for _ in range(9)) == 3
    assert keyed.check("a") == (False, 3, 0, 60.0, 60.0, "slow/keyed", "a")
    assert keyed.peek("c") == (True, 3, 3, 0.0, 0.0, "all_of", "c")
    assert [one.admitted for one in keyed.stats()] == [6, 6]
    assert [one.refused for one in keyed.stats()] == [0, 13]
    clock.advance(60)
    assert keyed.try_acquire("a")


def test_by_key_reserving_and_waiting_work_too():
    """Keyed acquire waits for the last place, refuses within a timeout, and reserve can be cancelled."""
    limit, _, _, clock = both(autojump=True)
    keyed = limit.keyed(max_keys=100)
    keyed.acquire("a", 3)
    with pytest.raises(sw.RateLimited, match=r"^slow/keyed is at its limit for key 'a'; retry in 60 s$"):
        keyed.acquire("a", timeout=1)
    permit = keyed.reserve("b", 2)
    assert permit.cancel()
    keyed.acquire("a")
    assert clock.time() == 60.0


async def test_by_key_tasks_wait_too():
    """Keyed acquire_async waits for the last place."""
    limit, _, _, clock = both(autojump=True)
    keyed = limit.keyed(max_keys=100)
    await keyed.acquire_async("a", 3)
    await keyed.acquire_async("a")
    assert clock.time() == 60.0


def test_a_member_in_shadow_never_refuses():
    """A shadow limit among others counts and lets pass."""
    clock = ManualClock()
    shadow = sw.TokenBucket(1, burst=1, clock=clock, shadow=True, name="trial")
    limit = sw.AllOf(shadow, sw.TokenBucket(10, burst=5, clock=clock, name="real"))
    assert sum(limit.try_acquire() for _ in range(9)) == 5
    assert [(one.name, one.admitted) for one in limit.stats()] == [("trial", 1), ("real", 5)]
    assert shadow.stats().refused >= 4


def test_it_guards_blocks_and_functions():
    """AllOf is a context manager and a decorator like its members."""
    limit, first, _, _ = both()
    with limit:
        pass

    @limit
    def call():
        return "called"

    assert call() == "called"
    assert first.peek().remaining == 8


async def test_it_guards_async_blocks():
    """Async with acquires every member."""
    limit, first, _, _ = both()
    async with limit:
        assert first.peek().remaining == 9


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (lambda: (), "AllOf needs at least one limit"),
        (lambda: (3,), "AllOf is made of limits, got 3"),
        (
            lambda: (sw.TokenBucket(1, clock=ManualClock()), sw.TokenBucket(1, clock=ManualClock())),
            "the limits of an AllOf must use one clock; give all of them the same clock=",
        ),
    ],
)
def test_what_cannot_be_joined_is_an_error(members, message):
    """No limits, something else, or limits of different clocks."""
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        sw.AllOf(*members())


def test_a_cost_above_one_member_can_never_pass():
    """The member that can never admit the cost says so, and nothing is taken."""
    limit, first, _, _ = both()
    message = "cost 5 can never be admitted: slow holds at most 3; raise its limit or split the call"
    for call in (limit.try_acquire, limit.peek, limit.acquire, limit.reserve):
        with pytest.raises(ValueError, match=f"^{message}$"):
            call(5)
    assert first.peek().remaining == 10


def test_it_shows_its_members():
    """The repr of AllOf, and of its keyed form, has those of its limits."""
    limit, first, second, _ = both()
    assert repr(limit) == f"AllOf({first!r}, {second!r})"
    assert repr(limit.keyed(10)) == (
        "KeyedAllOf(<Keyed 'fast/keyed': 10 per second, at most 10, room for 10 keys>, "
        "<Keyed 'slow/keyed': 3 per 60 s, room for 10 keys>)"
    )
