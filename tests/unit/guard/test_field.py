"""Failures of popular libraries and traps of other languages, one test each, named after the behaviour."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard import Pipeline

TOGETHER = 10


def fail() -> None:
    """The callee is down."""
    raise ConnectionError


def breaker(clock: ManualClock, **options: Any) -> sw.CircuitBreaker:
    """Opens at the second failure in a row, for ten seconds."""
    return sw.CircuitBreaker("b", consecutive=2, open_for=10, recovery=None, clock=clock, **options)


def trip(one: sw.CircuitBreaker) -> None:
    """Two failures."""
    for _ in range(2):
        with pytest.raises(ConnectionError):
            one.call(fail)


def test_no_lock_is_held_during_a_call() -> None:
    """Ten threads are inside one guarded function at once (pybreaker lets them in one by one)."""
    inside = threading.Barrier(TOGETHER)
    guarded = Pipeline(sw.Retry(2), sw.CircuitBreaker("b"), sw.TokenBucket(1e6), sw.Bulkhead(TOGETHER))(
        lambda: inside.wait(60)
    )
    threads = [threading.Thread(target=guarded) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken


async def test_failures_of_coroutine_functions_count() -> None:
    """In pybreaker none ever counts."""
    one = breaker(ManualClock())

    async def fail_later() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await one.call_async(fail_later)
    assert one.state == "open"


def test_with_refuses_while_open_and_does_not_close() -> None:
    """`with breaker:` of circuitbreaker never rejects, and leaving it closes."""
    one = breaker(ManualClock())
    trip(one)
    with pytest.raises(sw.CircuitOpen), one:
        pytest.fail("the block of an open breaker ran")
    assert one.state == "open"


def test_a_late_success_does_not_close_an_open_breaker() -> None:
    """One that began before the trip is counted as late, and changes nothing."""
    one = breaker(ManualClock())
    early = one.enter()
    trip(one)
    early.success()
    assert (one.state, one.stats().late) == ("open", 1)


async def test_a_cancelled_probe_does_not_close() -> None:
    """Its place is free for another probe; the state stays half open."""
    clock = ManualClock()
    one = breaker(clock, probes=1)
    trip(one)
    clock.advance(10)
    started = asyncio.Event()

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    probe = asyncio.create_task(one.call_async(wait))  # type: ignore[arg-type]
    await started.wait()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert one.state == "half_open"
    assert one.call(lambda: "well") == "well"
    assert one.state == "closed"


def test_half_open_admits_as_many_probes_as_it_says() -> None:
    """Four libraries admit twenty of twenty."""
    clock = ManualClock()
    one = breaker(clock, probes=3)
    trip(one)
    clock.advance(10)
    assert sum(bool(permit) for permit in [one.try_enter() for _ in range(20)]) == 3


async def test_disconnecting_clients_do_not_open_a_healthy_breaker() -> None:
    """A cancelled task is a failure to purgatory."""
    one = breaker(ManualClock())

    async def wait() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(one.call_async(wait)) for _ in range(50)]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (one.state, one.stats().failures, one.stats().ignored) == ("closed", 0, 50)


def test_a_step_of_the_wall_clock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only monotonic time is read: four libraries open or close when the wall clock steps."""
    one = sw.CircuitBreaker("b", consecutive=2, open_for=3600)
    trip(one)
    limit = sw.FixedWindow(1, window=3600)
    limit.try_acquire()
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert not one.try_enter()
    assert not limit.try_acquire()


def test_a_clock_that_steps_back_admits_nothing_extra() -> None:
    """x/time/rate exceeded its rate 5000 times because time went backwards."""
    clock = ManualClock(start=100)
    limits: list[Any] = [
        sw.TokenBucket(1, burst=5, clock=clock),
        sw.FixedWindow(5, window=10, clock=clock),
        sw.SlidingWindow(5, window=10, clock=clock),
        sw.SlidingLog(5, window=10, clock=clock),
    ]
    for limit in limits:
        assert sum(limit.try_acquire() for _ in range(20)) == 5
    for _ in range(20):
        clock.step_back(1)
        assert not any(limit.try_acquire() for limit in limits)


def test_one_shot_keys_do_not_pile_up() -> None:
    """`limits` still has 50,001 keys in memory; the table here has a size and keeps it."""
    clock = ManualClock()
    table = sw.SlidingWindow(5, window=1, clock=clock).keyed(max_keys=1000)
    for i in range(50_000):
        if i % 500 == 0:
            clock.advance(2)
        assert table.try_acquire(i)
    assert table.stats().overflowed == 0


def test_a_flood_of_foreign_keys_resets_nobody() -> None:
    """In throttled-py a flood pushes the victim's limit out of its table, and it may begin anew."""
    table = sw.TokenBucket(1, per=3600, burst=1, clock=ManualClock()).keyed(max_keys=1000)
    assert table.try_acquire("victim")
    for i in range(20_000):
        table.try_acquire(i)
    assert not table.try_acquire("victim")


async def test_a_heavy_waiter_is_not_starved_by_light_ones() -> None:
    """In aiolimiter acquire(10) waits for ever beside loops of acquire(1)."""
    clock = ManualClock(autojump=True)
    limit = sw.TokenBucket(10, burst=10, clock=clock)
    limit.acquire(10)
    order: list[str] = []

    async def heavy() -> None:
        await limit.acquire_async(10)
        order.append("heavy")

    async def light() -> None:
        await limit.acquire_async(1)
        order.append("light")

    await asyncio.gather(heavy(), *(light() for _ in range(20)))
    assert order[0] == "heavy"
    assert clock.time() == 3.0


def test_all_that_is_allowed_is_admitted_across_processes(segment_name: str) -> None:
    """pyrate-limiter's bucket for processes admits as few as 65 of 500; here 500 of 500."""
    code = (
        "import sys, seawall as sw; limit = sw.TokenBucket(500, per=3600, shared=sys.argv[1]); "
        "print(sum(limit.try_acquire() for _ in range(400)))"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, segment_name], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == 500


async def test_one_retry_shared_by_tasks_keeps_their_attempts_apart() -> None:
    """One AsyncRetrying of tenacity mixes the counters of four tasks."""
    retry = sw.Retry(3, backoff=0.0, clock=ManualClock(autojump=True))
    made = [0] * 4

    async def attempt(i: int) -> None:
        made[i] += 1
        await asyncio.sleep(0)
        raise ConnectionError

    await asyncio.gather(*(retry.call_async(attempt, i) for i in range(4)), return_exceptions=True)
    assert made == [3] * 4


def test_rejections_pickle_and_shared_guards_do(segment_name: str) -> None:
    """They cross process pools and task queues."""
    one = sw.CircuitBreaker("b", consecutive=2, shared=segment_name)
    trip(one)
    with pytest.raises(sw.CircuitOpen) as caught:
        one.call(fail)
    there = pickle.loads(pickle.dumps(caught.value))
    assert (str(there), there.retry_after) == (str(caught.value), caught.value.retry_after)
    assert pickle.loads(pickle.dumps(one)).state == "open"
    limit = sw.TokenBucket(1, per=60, shared=segment_name)
    assert pickle.loads(pickle.dumps(limit)).try_acquire()
    assert not limit.try_acquire()


async def test_waiting_tasks_do_not_poll() -> None:
    """Waiters of pyresilience ask every 10 ms; here one that waits an hour has one timer, and no turn until then."""
    clock = ManualClock()
    limit = sw.TokenBucket(1, per=3600, burst=1, clock=clock)
    limit.acquire()
    waiter = asyncio.create_task(limit.acquire_async())
    for _ in range(5):
        await asyncio.sleep(0)
    assert (clock.waiting, clock.next_ns) == (1, 3600 * 10**9)
    clock.advance(3599)
    assert clock.waiting == 1
    clock.advance(1)
    await waiter


def test_a_synchronous_timeout_costs_no_thread() -> None:
    """Unless it is asked for: the callee runs where its caller is."""
    assert sw.Timeout(60).call(threading.get_ident) == threading.get_ident()


def test_a_cancel_gives_back_what_it_took() -> None:
    """golang/go#69419: x/time/rate restored a wrong count."""
    clock = ManualClock()
    limit = sw.TokenBucket(1, burst=10, clock=clock)
    limit.acquire(7)
    permit = limit.reserve(3)
    assert permit.cancel()
    assert limit.peek().remaining == 3


def test_lost_permits_do_not_keep_a_breaker_half_open() -> None:
    """resilience4j stays HALF_OPEN for ever: here a permit thrown away, or never answered, frees its place."""
    clock = ManualClock()
    one = breaker(clock, probes=1, lost_after=60)
    trip(one)
    clock.advance(10)
    one.enter()  # thrown away
    kept = one.enter()  # never answered
    assert not one.try_enter()
    clock.advance(60)
    one.enter().success()
    assert (one.state, one.stats().lost) == ("closed", 1)
    kept.failure()
    assert one.state == "closed"


def test_a_threshold_of_everything_trips() -> None:
    """Sentinel compares with > and never trips at 1.0."""
    one = sw.CircuitBreaker("b", failure_ratio=1.0, min_calls=5, clock=ManualClock())
    for _ in range(5):
        with pytest.raises(ConnectionError):
            one.call(fail)
    assert one.state == "open"


@pytest.mark.parametrize("burst", [1, 2, 7])
def test_the_time_a_refusal_names_is_the_time_it_passes(burst: int) -> None:
    """GCRA without the burst in its offsets gives wrong times (fixed in governor 0.8)."""
    clock = ManualClock()
    limit = sw.TokenBucket(4, burst=burst, clock=clock)
    while limit.try_acquire():
        pass
    wait = limit.check().retry_after
    assert wait == 0.25
    clock.advance(wait - 1e-9)
    assert not limit.try_acquire()
    clock.advance(1e-9)
    assert limit.try_acquire()


def test_a_call_is_counted_when_it_begins() -> None:
    """One counted only when it ends lets any number begin: limit and bulkhead know of those under way."""
    limit, bulkhead = sw.TokenBucket(2, per=60, burst=2), sw.Bulkhead(2)
    seen: list[bool] = []

    def callee(depth: int) -> None:
        seen.append(bulkhead.try_acquire())
        if seen[-1]:
            bulkhead.release()
        if depth:
            guarded(depth - 1)

    guarded = Pipeline(limit, bulkhead)(callee)
    guarded(1)
    assert seen == [True, False]
    assert not limit.try_acquire()
