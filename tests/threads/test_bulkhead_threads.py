"""Bulkheads and their line under threads, with exact counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import seawall as sw


def together(n: int, work: Callable[[int], None]) -> None:
    """Run `work` in `n` threads that start at once; their failures are raised."""
    barrier, failures = threading.Barrier(n), list[BaseException]()

    def run(i: int) -> None:
        barrier.wait()
        try:
            work(i)
        except BaseException as error:  # noqa: BLE001 - told to whoever started the threads
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Inside:
    """How many are inside, and the most that ever were."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self) -> None:
        """Come in and leave."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize("places", [1, 3])
def test_waiting_threads_are_all_admitted_and_never_too_many(places: int) -> None:
    """8 threads x 500 calls: every call is made, never more than the places at once, and nothing is left."""
    bulkhead, inside = sw.Bulkhead(places, max_queue=8), Inside()
    guarded = bulkhead(inside)
    together(8, lambda _: [guarded() for _ in range(500)] and None)
    stats = bulkhead.stats()
    assert (stats.in_flight, stats.queued, stats.admitted, stats.refused) == (0, 0, 4000, 0)
    assert inside.most <= places


def test_what_is_not_admitted_is_refused() -> None:
    """Without a line: admitted and refused add up to the calls."""
    bulkhead, inside = sw.Bulkhead(2), Inside()
    refused = [0] * 4

    def work(i: int) -> None:
        guarded = bulkhead(inside)
        for _ in range(2000):
            try:
                guarded()
            except sw.BulkheadFull:
                refused[i] += 1

    together(4, work)
    stats = bulkhead.stats()
    assert stats.admitted + stats.refused == 8000
    assert stats.refused == sum(refused)
    assert (stats.in_flight, inside.most <= 2) == (0, True)


def test_loops_and_threads_share_one_line() -> None:
    """Three loops of 50 tasks and three threads: every one is admitted, never more than two at once."""
    bulkhead, inside = sw.Bulkhead(2, max_queue=1000), Inside()

    @bulkhead
    async def task() -> None:
        inside()
        await asyncio.sleep(0)

    async def tasks() -> None:
        await asyncio.gather(*(task() for _ in range(50)))

    def work(i: int) -> None:
        if i % 2:
            asyncio.run(tasks())
        else:
            for _ in range(50):
                bulkhead.call(inside)

    together(6, work)
    stats = bulkhead.stats()
    assert (stats.in_flight, stats.queued, stats.admitted, stats.refused) == (0, 0, 300, 0)


def test_timeouts_in_threads_count_exactly() -> None:
    """Four threads, each with a deadline of its own: none sees another's."""
    timeout = sw.Timeout(60)

    def work(i: int) -> None:
        for _ in range(500):
            with sw.Deadline(1 + i) as mine:
                assert timeout.call(lambda: sw.Deadline.current() is not mine)
                assert sw.Deadline.current() is mine

    together(4, work)
    assert timeout.stats().timed_out == 0


def test_a_stale_table_stays_within_its_bound_under_threads() -> None:
    """Four threads over more keys than it holds: never more entries than allowed, never a wrong result."""
    fallback = sw.Fallback.stale(ttl=60, max_entries=8)

    def work(i: int) -> None:
        @fallback
        def get(n: int, down: bool) -> tuple[int, int]:
            if down:
                raise ConnectionError
            return i, n

        by_number = sw.Fallback.stale(ttl=60, max_entries=8, key=lambda n, **_: n)(get.__wrapped__)
        for step in range(2000):
            get(step % 16, down=False)
            by_number(step % 16, down=False)
            assert by_number(step % 16, down=True) == (i, step % 16)

    together(4, work)
    assert fallback.stats().remembered <= 8
