"""A bulkhead: who gets a place, who waits, who is refused."""

from __future__ import annotations

import asyncio
import gc
import pickle
import random
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

import seawall as sw
from seawall.clock import AsyncBell, Bell, ManualClock
from seawall.guard.bulkhead import BulkheadRefused, BulkheadStats


def counts(bulkhead: sw.Bulkhead) -> tuple[int, int]:
    """Calls in flight, and in line."""
    stats = bulkhead.stats()
    return stats.in_flight, stats.queued


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_try_acquire_takes_places_until_none_is_left() -> None:
    """As many as there are places, and one more for each that is given back."""
    bulkhead = sw.Bulkhead(2, name="db")
    assert [bulkhead.try_acquire() for _ in range(3)] == [True, True, False]
    bulkhead.release()
    assert bulkhead.try_acquire()
    assert bulkhead.stats() == BulkheadStats("db", 2, 0, 2, 0, 3, 1, 0, False)


def test_a_full_bulkhead_refuses_at_once_and_says_why() -> None:
    """Without a line the refusal is immediate; it names the policy and the state, and is told to listeners."""
    bulkhead = sw.Bulkhead(1, name="db")
    told: list[BulkheadRefused] = []
    bulkhead.refused.connect(told.append)
    guarded = bulkhead(lambda: None)
    with bulkhead, pytest.raises(sw.BulkheadFull) as caught:
        guarded()
    assert str(caught.value) == "db is full: 1 of 1 calls in flight, 0 of 0 in line"
    assert (caught.value.policy, caught.value.state) == ("db", "full")
    assert told == [BulkheadRefused("db", "full", 1, 0)]
    assert counts(bulkhead) == (0, 0)
    assert pickle.loads(pickle.dumps(caught.value)).state == "full"


@pytest.mark.parametrize("error", [None, ValueError("no"), KeyboardInterrupt()])
def test_a_call_gives_its_place_back_however_it_ends(error: BaseException | None) -> None:
    """Result, error and interrupt alike."""
    bulkhead = sw.Bulkhead(1)

    @bulkhead
    def work() -> str:
        assert counts(bulkhead) == (1, 0)
        if error:
            raise error
        return "done"

    if error is None:
        assert work() == "done"
    else:
        with pytest.raises(type(error)):
            work()
    assert counts(bulkhead) == (0, 0)


def test_release_without_a_place_is_an_error() -> None:
    """More releases than places taken are a bug of the caller, told at once, and no place is invented."""
    bulkhead = sw.Bulkhead(1, name="db")
    with pytest.raises(RuntimeError, match=r"^db was released more often than acquired$"):
        bulkhead.release()
    assert bulkhead.try_acquire()
    assert not bulkhead.try_acquire()


async def test_tasks_are_admitted_first_come_first_served() -> None:
    """The line keeps its order, nobody overtakes, and who finds the line full is refused."""
    bulkhead = sw.Bulkhead(1, max_queue=3)
    order: list[int] = []

    @bulkhead
    async def work(i: int) -> None:
        order.append(i)
        await asyncio.sleep(0)

    await bulkhead.acquire_async()
    tasks = [asyncio.create_task(work(i)) for i in range(4)]
    await settle()
    assert counts(bulkhead) == (1, 3)
    assert not bulkhead.try_acquire()
    with pytest.raises(sw.BulkheadFull, match=r"^bulkhead is full: 1 of 1 calls in flight, 3 of 3 in line$"):
        await tasks[3]
    bulkhead.release()
    await asyncio.gather(*tasks[:3])
    assert order == [0, 1, 2]
    assert counts(bulkhead) == (0, 0)


async def test_max_wait_ends_the_wait_on_the_clock() -> None:
    """A waiter is refused when its time in line is over, and the line is empty again."""
    clock = ManualClock()
    bulkhead = sw.Bulkhead(1, max_queue=1, max_wait=2.0, clock=clock)
    assert bulkhead.try_acquire()
    task = asyncio.create_task(bulkhead.acquire_async())
    await settle()
    clock.advance(1.999)
    await settle()
    assert not task.done()
    clock.advance(0.001)
    with pytest.raises(sw.BulkheadFull, match=r"^bulkhead is full: no place within 2 s$") as caught:
        await task
    assert caught.value.state == "waited"
    assert counts(bulkhead) == (1, 0)
    assert bulkhead.stats().refused == 1


def test_a_deadline_ends_the_wait_and_the_error_says_so() -> None:
    """The caller's deadline comes before max_wait: the refusal blames the deadline."""
    clock = ManualClock(autojump=True)
    bulkhead = sw.Bulkhead(1, max_queue=1, max_wait=60, clock=clock)
    assert bulkhead.try_acquire()
    with (
        sw.Deadline(0.5, clock=clock),
        pytest.raises(sw.BulkheadFull, match=r"^bulkhead is full: no place before the caller's deadline$") as caught,
    ):
        bulkhead.acquire()
    assert caught.value.state == "deadline"
    assert clock.time() == 0.5


def test_a_deadline_that_has_passed_refuses_without_waiting() -> None:
    """Nothing is left, so nobody stands in line; a free place is taken all the same."""
    clock = ManualClock()
    bulkhead = sw.Bulkhead(1, max_queue=1, clock=clock)
    with sw.Deadline(0, clock=clock):
        bulkhead.acquire()
        with pytest.raises(sw.BulkheadFull, match=r"^bulkhead is full: no place before the caller's deadline$"):
            bulkhead.acquire()
    assert counts(bulkhead) == (1, 0)


async def test_cancelling_a_waiter_lets_the_next_one_move_up() -> None:
    """A cancelled waiter leaves the line; a place is never handed to it."""
    bulkhead = sw.Bulkhead(1, max_queue=2)
    assert bulkhead.try_acquire()
    first, second = (asyncio.create_task(bulkhead.acquire_async()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert counts(bulkhead) == (1, 1)
    bulkhead.release()
    await second
    assert counts(bulkhead) == (1, 0)


async def test_cancelling_a_waiter_that_was_just_admitted_passes_its_place_on() -> None:
    """The place was handed over and the cancellation came before the task ran: the next one gets it."""
    bulkhead = sw.Bulkhead(1, max_queue=2)
    assert bulkhead.try_acquire()
    first, second = (asyncio.create_task(bulkhead.acquire_async()) for _ in range(2))
    await settle()
    bulkhead.release()
    first.cancel()
    await second
    assert first.cancelled()
    assert counts(bulkhead) == (1, 0)


async def test_ten_thousand_tasks_cancelled_at_random_points_leave_nothing_behind() -> None:
    """Wherever the cancellations strike, in the end nothing is in flight and nobody in line."""
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    bulkhead = sw.Bulkhead(7, max_queue=10_000)
    inside = most = 0

    @bulkhead
    async def work(steps: int) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
        finally:
            inside -= 1

    alive: list[asyncio.Task[None]] = []
    for _ in range(10_000):
        alive.append(asyncio.create_task(work(chance.randrange(4))))
        if chance.random() < 0.3:
            await asyncio.sleep(0)
        if chance.random() < 0.7:
            alive.pop(chance.randrange(len(alive))).cancel()
    await asyncio.gather(*alive, return_exceptions=True)
    await settle()
    assert most <= 7
    assert counts(bulkhead) == (0, 0)


def test_one_bulkhead_serves_several_loops_and_threads() -> None:
    """A place given back in one loop wakes a task of another, and a thread."""
    bulkhead = sw.Bulkhead(1, max_queue=10)
    started = threading.Barrier(4)
    done: list[str] = []

    async def task(name: str) -> None:
        async with bulkhead:
            done.append(name)

    def loop(name: str) -> None:
        started.wait()
        asyncio.run(task(name))

    def thread() -> None:
        started.wait()
        with bulkhead:
            done.append("thread")

    assert bulkhead.try_acquire()
    threads = [threading.Thread(target=loop, args=("a",)), threading.Thread(target=loop, args=("b",))]
    threads.append(threading.Thread(target=thread))
    for one in threads:
        one.start()
    started.wait()
    bulkhead.release()
    for one in threads:
        one.join()
    assert sorted(done) == ["a", "b", "thread"]
    assert counts(bulkhead) == (0, 0)


async def test_a_generator_closed_early_gives_its_place_back() -> None:
    """Sync and async generators hold a place from the first item until they end or are closed."""
    bulkhead = sw.Bulkhead(1)

    @bulkhead
    def numbers() -> Iterator[int]:
        yield from range(9)

    @bulkhead
    async def others() -> AsyncIterator[int]:
        for i in range(9):
            yield i

    items = numbers()
    assert next(items) == 0
    assert counts(bulkhead) == (1, 0)
    items.close()  # type: ignore[attr-defined]
    assert counts(bulkhead) == (0, 0)
    stream = others()
    assert await anext(stream) == 0
    assert counts(bulkhead) == (1, 0)
    await stream.aclose()  # type: ignore[attr-defined]
    assert counts(bulkhead) == (0, 0)


def test_reconfigure_admits_those_who_wait_and_waits_for_those_who_are_too_many() -> None:
    """More places are taken at once by the line; with fewer, places are handed on only when few enough are left."""
    bulkhead = sw.Bulkhead(1, max_queue=2)
    bulkhead.acquire()
    got = threading.Semaphore(0)

    def wait() -> None:
        bulkhead.acquire()
        got.release()

    threads = [threading.Thread(target=wait) for _ in range(2)]
    for one in threads:
        one.start()
    while bulkhead.stats().queued < 2:
        pass
    bulkhead.reconfigure(max_concurrent=3)
    for one in threads:
        one.join()
    assert counts(bulkhead) == (3, 0)
    bulkhead.reconfigure(max_concurrent=1)
    for left in (2, 1):
        bulkhead.release()
        assert counts(bulkhead) == (left, 0)
        assert not bulkhead.try_acquire()
    assert bulkhead.stats().max_queue == 2


async def test_shadow_refuses_nobody_and_counts() -> None:
    """Calls and blocks above the bound pass, are counted, and what they took is given back."""
    bulkhead = sw.Bulkhead(1, shadow=True)

    @bulkhead
    async def work() -> None:
        async with bulkhead:
            assert bulkhead.try_acquire()
            bulkhead.release()

    await work()
    stats = bulkhead.stats()
    assert (stats.in_flight, stats.let_through, stats.refused) == (0, 2, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_concurrent": 0},
            "max_concurrent must be 1 to 1073741824, got 0; calls in flight at once",
        ),
        (
            {"max_concurrent": True},
            "max_concurrent must be a whole number, 1 to 1073741824, got True; calls in flight at once",
        ),
        (
            {"max_concurrent": 1, "max_wait": 1},
            "max_wait=1.0 has no effect without a line; give max_queue=",
        ),
    ],
)
def test_bad_options_are_explained(options: dict[str, int], message: str) -> None:
    """The value, the range and the way out."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Bulkhead(**options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_bulkhead_does_not_pickle_and_a_decorated_function_does() -> None:
    """A copy would be a second bulkhead; a module's function is found again by its name."""
    with pytest.raises(
        TypeError,
        match=r"^Bulkhead 'db' cannot be pickled: a copy in another process would be a second one; "
        r"make it where the calls are made$",
    ):
        pickle.dumps(sw.Bulkhead(1, name="db"))


def test_no_lock_is_held_across_the_call() -> None:
    """Ten threads are inside at once: nothing of the bulkhead makes them take turns."""
    bulkhead = sw.Bulkhead(10)
    together = threading.Barrier(10)
    guarded = bulkhead(together.wait)
    threads = [threading.Thread(target=guarded) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=30)
    assert bulkhead.stats().admitted == 10


def test_repr_says_what_it_is_and_where_it_stands() -> None:
    """Name, places and line."""
    bulkhead = sw.Bulkhead(2, max_queue=5, name="db", shadow=True)
    bulkhead.acquire()
    assert repr(bulkhead) == "<Bulkhead 'db': 1 of 2 in flight, 0 of 5 queued shadow>"


class CountingClock(ManualClock):
    """A clock that counts how often somebody goes to sleep on it."""

    parked = 0

    def park(self, bell: Bell, until_ns: int) -> None:
        """Count, then sleep."""
        self.parked += 1
        super().park(bell, until_ns)

    async def park_async(self, bell: AsyncBell, until_ns: int) -> None:
        """Count, then sleep."""
        self.parked += 1
        await super().park_async(bell, until_ns)


async def test_waiters_do_not_poll() -> None:
    """A waiter goes to sleep once and is woken once, when it has a place."""
    clock = CountingClock()
    bulkhead = sw.Bulkhead(1, max_queue=1, max_wait=60, clock=clock)
    assert bulkhead.try_acquire()
    task = asyncio.create_task(bulkhead.acquire_async())
    await settle()
    for _ in range(50):
        clock.advance(1)
        await settle()
    bulkhead.release()
    await task
    assert clock.parked == 1


async def test_an_abandoned_coroutine_leaves_the_line() -> None:
    """A coroutine that is closed while it waits, and never resumed, holds nothing."""
    bulkhead = sw.Bulkhead(1, max_queue=1)
    assert bulkhead.try_acquire()
    waiting = bulkhead(asyncio.sleep)(0)
    waiting.send(None)  # type: ignore[attr-defined]
    assert counts(bulkhead) == (1, 1)
    waiting.close()  # type: ignore[attr-defined]
    assert counts(bulkhead) == (1, 0)


async def test_a_generator_that_is_dropped_gives_its_place_back() -> None:
    """Nobody closed it; that nobody can is enough."""
    bulkhead = sw.Bulkhead(2)

    @bulkhead
    def numbers() -> Iterator[int]:
        yield from range(9)

    @bulkhead
    async def others() -> AsyncIterator[int]:
        for i in range(9):
            yield i

    items, stream = numbers(), others()
    assert (next(items), await anext(stream)) == (0, 0)
    assert counts(bulkhead) == (2, 0)
    del items, stream
    gc.collect()
    await settle()
    assert counts(bulkhead) == (0, 0)
