"""Exact totals when threads fight for one limit."""

import threading

import pytest
from tests.oracles.pairs import NAMES, pair
from tests.parking import ParkingClock

import seawall as sw
from seawall.clock import ManualClock

THREADS = 8
LIMIT = 4000


def run(*bodies):
    """Run each body in a thread; all start together. Their answers."""
    start = threading.Barrier(len(bodies))
    answers = [None] * len(bodies)

    def work(i, body):
        start.wait()
        answers[i] = body()

    threads = [threading.Thread(target=work, args=(i, body)) for i, body in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def most(name):
    """What a limit of LIMIT admits on a clock that stands."""
    return 1 if name == "leaky_bucket" else LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_threads_get_exactly_the_limit(name):
    """Eight threads that ask for twice the limit get all of it and nothing more, and every call is counted."""
    limit = pair(name, amount=LIMIT, limit=LIMIT).limit
    answers = run(*[lambda: sum(limit.try_acquire() for _ in range(LIMIT // 4))] * THREADS)
    assert sum(answers) == most(name)
    assert limit.stats()[2:4] == (most(name), 2 * LIMIT - most(name))


@pytest.mark.parametrize("name", NAMES)
def test_threads_that_reserve_and_cancel_leave_nothing_taken_in_the_end(name):
    """Places taken and given back by many threads never exceed the limit, and afterwards no more than it is there."""
    limit = pair(name, amount=LIMIT, limit=LIMIT).limit

    def body():
        kept = 0
        for i in range(LIMIT // 4):
            try:
                permit = limit._place(1, 0.0)
            except sw.RateLimited:
                continue
            if i % 2:
                permit.cancel()
            else:
                kept += 1
        return kept

    kept = sum(run(*[body] * THREADS))
    while limit.try_acquire():
        kept += 1
    assert kept <= most(name)
    if name != "leaky_bucket":
        assert kept == LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_threads_get_exactly_the_limit_of_every_key(name):
    """The same for each of fifty keys in one table, by single calls and in batches."""
    keyed = pair(name, amount=40, limit=40).limit.keyed(max_keys=1000)
    each = 1 if name == "leaky_bucket" else 40

    def single():
        return [sum(keyed.try_acquire(key) for _ in range(10)) for key in range(50)]

    def batch():
        totals = [0] * 50
        for _ in range(10):
            for key, answer in enumerate(keyed.try_acquire_many(list(range(50)))):
                totals[key] += int(answer)
        return totals

    answers = run(*[single, batch] * (THREADS // 2))
    assert [sum(totals) for totals in zip(*answers, strict=True)] == [each] * 50
    assert keyed.stats()[2:6] == (50 * each, 50 * (80 - each), 0, 0)


def test_threads_that_wait_all_get_through_at_the_limits_pace():
    """Eight threads that acquire a hundred places each, on a clock the test moves, take them one instant at a time."""
    clock = ParkingClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)
    times = []
    lock = threading.Lock()

    def body():
        for _ in range(20):
            limit.acquire()
            with lock:
                times.append(clock.now_ns())

    threads = [threading.Thread(target=body) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.advance(0.1)
    for thread in threads:
        thread.join()
    assert len(times) == THREADS * 20
    taken = limit.stats()
    assert (taken.admitted, taken.refused, taken.waiting) == (THREADS * 20, 0, 0)
    times.sort()
    assert all(times[i] >= (i) * 100_000_000 for i in range(len(times)))


def test_threads_that_change_limits_forget_nothing():
    """While four threads take and four change the limit to and fro, no more passes than the largest limit."""
    limit = sw.FixedWindow(LIMIT, window=1, clock=ManualClock())

    def take():
        return sum(limit.try_acquire() for _ in range(LIMIT // 2))

    def change():
        for i in range(100):
            limit.reconfigure(LIMIT - i % 7, window=1)
        return 0

    assert LIMIT - 6 <= sum(run(*[take, change] * 4)) <= LIMIT


def test_a_million_keys_of_one_call_each_make_no_live_one_forgotten():
    """Keys that come once, a million of them as time goes on, evict each other and never a limit that is live."""
    clock = ManualClock()
    keyed = sw.TokenBucket(1, per=0.001, burst=1, clock=clock).keyed(max_keys=2000)
    size = keyed.stats().bytes
    live = sw.FixedWindow(3, window=1_000_000, clock=clock).keyed(max_keys=2000)
    victims = [f"victim {i}" for i in range(5)]
    for victim in victims:
        assert live.try_acquire(victim, 3)
    batch = 1000
    for i in range(1000):
        keys = [*range(i * batch, (i + 1) * batch)]
        assert keyed.try_acquire_many(keys).all()
        if i % 10 == 0:
            live.try_acquire_many(keys)  # these stay live: the table fills and refuses, and forgets nobody
            assert not any(live.try_acquire(victim) for victim in victims)
        clock.advance(0.0011)
    stats = keyed.stats()
    assert (stats.admitted, stats.overflowed, stats.bytes) == (1_000_000, 0, size)
    assert stats.evicted > 990_000
    assert live.stats().overflowed > 90_000
    assert live.stats().evicted == 0
