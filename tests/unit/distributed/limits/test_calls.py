"""Limits across machines have the manner of local limits, on both faces."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.distributed import limits
from seawall.engines import open_engine
from seawall.errors import ConfigError, RateLimited

LOCAL: dict[str, Any] = {
    "TokenBucket": ((10,), {"burst": 3}),
    "LeakyBucket": ((10,), {"capacity": 3}),
    "FixedWindow": ((3,), {"window": 1}),
    "SlidingWindow": ((3,), {"window": 1}),
    "SlidingLog": ((3,), {"window": 1}),
}


@pytest.fixture
def clock() -> ManualClock:
    """Begins at a whole second, moves by itself when all wait."""
    return ManualClock(1_000.0, autojump=True)


@pytest.fixture
def engine(clock):
    """In memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


def made(kind: str, engine, **more):
    """A limit of a kind."""
    args, options = LOCAL[kind]
    return getattr(limits, kind)(*args, **options, engine=engine, name="api", **more)


@pytest.mark.parametrize("kind", LOCAL)
def test_it_answers_as_the_local_limit_does(kind, engine, clock):
    """Admission, what remains, and when to retry, over two windows."""
    args, options = LOCAL[kind]
    there, here = made(kind, engine), getattr(sw, kind)(*args, **options, name="api", clock=clock)
    for pause in (0.0, 0.0, 0.05, 0.0, 0.3, 0.0, 0.4, 0.9, 0.0, 0.0):
        clock.advance(pause)
        for theirs, ours in ((there.peek(), here.peek()), (there.check(), here.check())):
            assert (theirs[:3], theirs[5:]) == (ours[:3], ours[5:])
            assert theirs[3:5] == pytest.approx(ours[3:5], abs=2e-6)  # whole microseconds there


@pytest.mark.parametrize("kind", LOCAL)
def test_two_objects_of_one_name_are_one_limit(kind, engine):
    """And another name is another limit."""
    first, second = made(kind, engine), made(kind, engine)
    admitted = [one.try_acquire() for one in (first, second) * 4]
    assert sum(admitted) == (1 if kind == "LeakyBucket" else 3)
    args, options = LOCAL[kind]
    assert getattr(limits, kind)(*args, **options, engine=engine, name="other").try_acquire()


@pytest.mark.parametrize("kind", LOCAL)
def test_waiters_get_through_at_the_pace_of_the_limit(kind, engine, clock):
    """Nine in a row take as long as the local limit lets them take."""
    args, options = LOCAL[kind]
    there, here = made(kind, engine), getattr(sw, kind)(*args, **options, clock=clock)
    times = []
    for one in (there, here):
        began = clock.now_ns()
        clock.advance(1 - began % 1_000_000_000 / 1e9)
        began = clock.now_ns()
        for _ in range(9):
            one.acquire()
        times.append(clock.now_ns() - began)
    assert times[0] == pytest.approx(times[1], abs=5_000)


@pytest.mark.parametrize("kind", LOCAL)
def test_tasks_wait_alike(kind, engine, clock):
    """As many at once as the queue of the leaky bucket has room for, twice a limit elsewhere."""
    limit, many = made(kind, engine), 3 if kind == "LeakyBucket" else 6

    async def one() -> int:
        await limit.acquire_async()
        return clock.now_ns()

    async def all_of_them() -> list[int]:
        return sorted(await asyncio.gather(*(one() for _ in range(many))))

    began = clock.now_ns()
    waits = [at - began for at in asyncio.run(all_of_them())]
    assert waits[0] == 0
    assert waits[-1] > 0
    assert limit.stats().admitted == many
    assert limit.stats().waiting == 0


@pytest.mark.parametrize("kind", LOCAL)
def test_a_wait_that_would_outlast_the_timeout_is_refused_at_once(kind, engine, clock):
    """No time passes, and the refusal says when to come again."""
    limit = made(kind, engine)
    while limit.try_acquire():
        pass
    began = clock.now_ns()
    with pytest.raises(RateLimited, match=r"^api is at its limit; retry in [\d.]+ s$") as refused:
        limit.acquire(timeout=0.01)
    assert refused.value.retry_after > 0.01
    assert (refused.value.policy, refused.value.state) == ("api", None)
    with sw.Deadline(0.02, clock=clock), pytest.raises(RateLimited, match=r"deadline leaves 0\.02 s$") as refused:
        limit.acquire()
    assert refused.value.state == "deadline"
    assert clock.now_ns() == began


def test_threads_stand_in_line(engine, clock):
    """Twelve threads through a window of three: nobody is lost, and only the first of them asks."""
    limit = limits.FixedWindow(3, window=1, engine=engine, name="api")
    threads = [threading.Thread(target=limit.acquire) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert limit.stats().admitted == 12
    assert clock.now_ns() >= 1_003 * 10**9


def test_a_waiter_that_is_cancelled_lets_the_next_one_come_first(engine, clock):
    """Its turn is given up, and nothing waits for it."""
    limit = limits.FixedWindow(1, window=1, engine=engine, name="api")
    limit.acquire()

    async def run() -> None:
        first = asyncio.create_task(limit.acquire_async(timeout=100))
        await asyncio.sleep(0)
        second = asyncio.create_task(limit.acquire_async(timeout=100))
        await asyncio.sleep(0)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(run())
    assert limit.stats().admitted == 2


def test_it_guards_functions_and_stands_in_pipelines(engine):
    """As a decorator, with `with`, and in a Pipeline, for plain calls and for coroutines."""
    limit = limits.SlidingLog(5, window=100, engine=engine, name="api")

    @limit
    def add(a: int, b: int) -> int:
        return a + b

    @limit
    async def add_async(a: int, b: int) -> int:
        return a + b

    assert add(1, 2) == 3
    assert asyncio.run(add_async(1, 2)) == 3
    with limit:
        pass

    async def within() -> None:
        async with limit:
            pass

    asyncio.run(within())
    guard = sw.Pipeline(sw.Retry(2), limit)
    assert guard.call(len, "abc") == 3
    assert limit.stats().admitted == 5
    with sw.Deadline(1, clock=limit.clock), pytest.raises(RateLimited):
        guard.call(len, "abc")
    with sw.Deadline(1, clock=limit.clock), pytest.raises(RateLimited):
        asyncio.run(guard.call_async(add_async.__wrapped__, 1, 2))


def test_in_shadow_nobody_is_refused_or_waits(engine, clock):
    """What would have been refused is counted, also in a pipeline of tasks."""
    limit = limits.TokenBucket(1, engine=engine, name="api", shadow=True)
    began = clock.now_ns()
    assert [limit.try_acquire() for _ in range(3)] == [True] * 3
    limit.acquire()

    async def call() -> int:
        return 7

    assert asyncio.run(sw.Pipeline(limit).call_async(call)) == 7
    stats = limit.stats()
    assert (stats.admitted, stats.refused, limit.let_through, stats.shadow) == (1, 4, 4, True)
    assert clock.now_ns() == began
    half = limits.TokenBucket(1, per=100, engine=engine, name="half", enforce=0.5)
    assert sum(half.try_acquire() for _ in range(11)) == 6


def test_keys_are_apart(engine):
    """Equal text, bytes, numbers and tuples are different keys, long ones and odd ones too."""
    keyed = limits.TokenBucket(1, per=1000, engine=engine, name="user").keyed()
    keys = [
        "1",
        b"1",
        1,
        ("1",),
        (1,),
        ((1,),),
        "",
        "a" * 5000,
        "a" * 5001,
        "('1')",
        "\n",
        "\ud800",
        (),
        ("a,'b'",),
        ("a", "b"),
    ]
    assert [keyed.try_acquire(key) for key in keys] == [True] * len(keys)
    assert [keyed.try_acquire(key) for key in keys] == [False] * len(keys)
    assert keyed.check(b"1").key == b"1"
    assert keyed.try_acquire("x")
    with pytest.raises(RateLimited, match=r"^user is at its limit for key 'x'; retry in 1000 s$"):
        keyed.acquire("x", timeout=1)
    for bad in (True, 1.5, None, (None,)):
        with pytest.raises(TypeError, match="a key must be str, bytes, int or a tuple of these"):
            keyed.try_acquire(bad)


def test_a_name_with_slashes_is_no_key_of_another_name(engine):
    """The state of a name and a key lies where no other name and key lies."""
    assert limits.TokenBucket(1, per=1000, engine=engine, name="a/'b'").try_acquire()
    assert limits.TokenBucket(1, per=1000, engine=engine, name="a").keyed().try_acquire("b")
    assert limits.TokenBucket(1, per=1000, engine=engine, name="a/").keyed().try_acquire("b")


def test_the_keyed_face_waits_and_is_awaited(engine, clock):
    """`acquire` by key, in threads and tasks, and the twins of the others."""
    keyed = limits.TokenBucket(1, engine=engine, name="user").keyed()
    began = clock.now_ns()
    keyed.acquire("a")
    keyed.acquire("a")
    assert clock.now_ns() - began == 1_000_000_000

    async def run() -> None:
        await keyed.acquire_async("a")
        assert not await keyed.try_acquire_async("a")
        assert not (await keyed.check_async("a")).admitted
        assert (await keyed.peek_async("b")).admitted

    asyncio.run(run())
    assert keyed.peek("a").remaining == 0


def test_all_of_admits_through_all_or_none(engine):
    """The refusing limit is named, the others are not charged; one of them alone goes on."""
    wide = limits.TokenBucket(5, per=1000, engine=engine, name="wide")
    narrow = limits.FixedWindow(2, window=1000, engine=engine, name="narrow")
    both = limits.AllOf(wide, narrow, name="both")
    assert [both.try_acquire() for _ in range(4)] == [True, True, False, False]
    refused = both.check()
    assert (refused.name, refused.limit, refused.remaining) == ("narrow", 2, 0)
    assert wide.peek().remaining == 3
    with pytest.raises(RateLimited, match=r"^narrow is at its limit"):
        both.acquire(timeout=1)
    by_key = both.keyed()
    assert [by_key.try_acquire("k") for _ in range(3)] == [True, True, False]


def test_a_hierarchy_counts_each_level_by_its_part_of_the_path(engine):
    """A tenant's users share the tenant's limit, all tenants the root's."""
    everybody = limits.TokenBucket(4, per=1000, engine=engine, name="everybody")
    tenant = limits.TokenBucket(3, per=1000, engine=engine, name="tenant")
    user = limits.TokenBucket(2, per=1000, engine=engine, name="user")
    levels = limits.Hierarchy(everybody, tenant, user, name="levels")
    paths = [("a", "1"), ("a", "1"), ("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1")]
    decisions = [levels.check(path) for path in paths]
    assert [d.admitted for d in decisions] == [True, True, False, True, False, True, False]
    assert [d.name for d in decisions if not d] == ["user", "tenant", "everybody"]
    assert tenant.keyed().peek(("b",)).remaining == 2
    with pytest.raises(TypeError, match=r"^the key of levels must be a tuple of 2, got 'a'$"):
        levels.try_acquire("a")


def test_local_limits_quotas_and_texts_can_be_distributed(engine):
    """With their names, bursts and shadows."""
    local = sw.TokenBucket(100, per=60, burst=7, name="api", shadow=True)
    there = limits.distribute(local, engine=engine)
    assert (there.name, there.shadow, there.peek().limit) == ("api", True, 7)
    for kind, (args, options) in LOCAL.items():
        made = limits.distribute(getattr(sw, kind)(*args, **options, name=kind), engine=engine)
        assert type(made) is getattr(limits, kind)
        assert made.peek().limit == 3
    clock = ManualClock()
    pair = sw.AllOf(sw.TokenBucket(5, name="a", clock=clock), sw.FixedWindow(2, window=60, name="b", clock=clock))
    assert sum(limits.distribute(pair, engine=engine).try_acquire() for _ in range(5)) == 2
    quota = limits.distribute("5 per 10 minutes; 3/day", engine=engine, name="login").keyed()
    assert sum(quota.try_acquire("ann") for _ in range(9)) == 3
    with pytest.raises(ConfigError, match=r"^limit must be a local limit, an AllOf, a Quota or its text, got 5$"):
        limits.distribute(5, engine=engine, name="x")


def test_reconfigure_keeps_what_was_used(engine):
    """For the limit and for its keys."""
    limit = limits.TokenBucket(5, per=1000, engine=engine, name="api")
    keyed = limit.keyed()
    assert [limit.try_acquire(3), keyed.try_acquire("k", 3)] == [True, True]
    limit.reconfigure(10, per=1000)
    keyed.reconfigure(10, per=1000)
    assert limit.peek().remaining == keyed.peek("k").remaining == 7
    assert repr(limit) == "<TokenBucket 'api': 0.01 per second, at most 10 in memory://>"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda e: limits.TokenBucket(1, engine=5, name="x"),
            "engine must be an Engine, as open_engine gives it, got 5",
        ),
        (
            lambda e: limits.TokenBucket(0, engine=e, name="x"),
            "rate must be above 0 and finite, got 0; to refuse everything open a breaker by hand",
        ),
        (lambda e: limits.TokenBucket(1, engine=e, name=""), "name must be a str of 1 to 100 bytes, got ''"),
        (lambda e: limits.TokenBucket(1, engine=e, name="a\n"), "name must be without control characters, got 'a\\n'"),
        (
            lambda e: limits.TokenBucket(1, engine=e, name="x", away="shut"),
            "away must be one of 'open', 'closed', 'local share', got 'shut'; when the engine is away: admit all, "
            "refuse all, or limit in this process alone",
        ),
        (lambda e: limits.TokenBucket(1, engine=e, name="x", shadow=1), "shadow must be True or False, got 1"),
        (lambda e: limits.AllOf(limits.TokenBucket(1, engine=e, name="x")), "AllOf needs at least two limits, got 1"),
        (
            lambda e: limits.AllOf(*[limits.TokenBucket(1, engine=e, name="x")] * 2),
            "the limits must have different names, got x, x",
        ),
        (
            lambda e: limits.AllOf(limits.TokenBucket(1, engine=e, name="x"), sw.TokenBucket(1)),
            "AllOf is made of limits across machines, got",
        ),
        (
            lambda e: limits.AllOf(
                limits.TokenBucket(1, engine=e, name="x"), limits.TokenBucket(1, engine=e, name="y", namespace="other")
            ),
            "the limits of one AllOf must be in one engine and namespace, got y in memory:// 'other' beside x in "
            "memory:// 'seawall'",
        ),
    ],
)
def test_what_can_never_work_is_refused(engine, make, message):
    """The message names the option, the value, and the way out."""
    with pytest.raises(ConfigError) as refused:
        make(engine)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("cost", "kind", "message"),
    [
        (0, ValueError, "cost must be 1 to 2, got 0"),
        (3, ValueError, "cost 3 can never be admitted: api holds at most 2; raise its limit or split the call"),
        (1.5, TypeError, "cost must be a whole number, got 1.5"),
        (True, TypeError, "cost must be a whole number, got True"),
    ],
)
def test_a_cost_that_can_never_be_admitted_is_an_error(engine, cost, kind, message):
    """Not an endless wait."""
    limit = limits.TokenBucket(1, burst=2, engine=engine, name="api")
    for call in (limit.try_acquire, limit.peek, limit.acquire):
        with pytest.raises(kind) as refused:
            call(cost)
        assert str(refused.value) == message


def test_a_limit_is_not_pickled(engine):
    """An engine belongs to its process; the message says what to do."""
    with pytest.raises(TypeError) as refused:
        pickle.dumps(limits.TokenBucket(1, engine=engine, name="api"))
    assert str(refused.value) == (
        "TokenBucket 'api' cannot be pickled: open the engine where it is needed and make the limit there; limits of "
        "one name are one limit"
    )
