"""An adaptive limit used by threads and tasks at once."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from tests.threads.test_bulkhead_threads import Inside, together

import seawall as sw


def test_every_call_of_every_thread_and_task_is_counted_and_given_back() -> None:
    """Windows end and limits move meanwhile; nothing is lost, and never are more inside than there ever were places."""
    limit = sw.AdaptiveLimit(initial=3, min_samples=10, window=0.001, max_limit=6, max_queue=200)
    inside = Inside()

    @limit
    def work(chance: Random) -> None:
        inside()
        if chance.random() < 0.02:
            raise TimeoutError

    @limit
    async def work_async(chance: Random) -> None:
        await asyncio.sleep(0)
        inside()
        if chance.random() < 0.02:
            raise TimeoutError

    async def tasks(number: int) -> None:
        await asyncio.gather(*(work_async(Random(number + i)) for i in range(50)), return_exceptions=True)

    def one(number: int) -> None:
        if number % 2:
            for _ in range(4):
                asyncio.run(tasks(number))
            return
        chance = Random(number)
        for _ in range(400):
            with contextlib.suppress(TimeoutError):
                work(chance)

    together(4, one)
    stats = limit.stats()
    assert stats.admitted == 2 * 400 + 2 * 4 * 50
    assert stats.samples + stats.dropped == stats.admitted
    assert (stats.in_flight, stats.queued, stats.refused, stats.ignored) == (0, 0, 0, 0)
    assert stats.decisions > 5
    assert inside.most <= 6
