"""What calls leave allocated, and what they allocate while they run."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from typing import Any

from benchmarks.load import _targets
from seawall._core.tally import Tally
from seawall.measure import Closed, LoadTest
from seawall.measure.load.result._outcomes import DONE

_TASKS = 1_000


def bare(calls: int) -> dict[str, Any]:
    """Seconds that a call of the targets takes without a load test around it."""

    async def await_all() -> float:
        began = time.process_time()
        for _ in range(calls):
            await _targets.awaited()
        return time.process_time() - began

    awaited = asyncio.run(await_all())
    began = time.process_time()
    for _ in range(calls):
        _targets.plain()
    return {"awaited": awaited / calls, "plain": (time.process_time() - began) / calls}


def blocks(few: int, many: int) -> dict[str, Any]:
    """Blocks of memory that are left after runs of few and of many async calls, and the calls they really made."""

    async def left_after(calls: int) -> tuple[int, int]:
        made = 0

        async def count() -> None:
            nonlocal made
            made += 1
            if made >= calls:
                stop.set()

        stop = asyncio.Event()
        test = LoadTest(count, Closed(20), duration=30)
        gc.collect()
        before = sys.getallocatedblocks()
        result = await test.run_async(stop=stop)
        completed = result.completed
        del result
        gc.collect()
        return completed, sys.getallocatedblocks() - before

    async def both() -> list[tuple[int, int]]:
        await left_after(few)  # what is made once and kept: caches, imported modules
        return [await left_after(few), await left_after(many)]

    (few, left_of_few), (many, left_of_many) = asyncio.run(both())
    return {"few": few, "left_of_few": left_of_few, "many": many, "left_of_many": left_of_many, **asyncio.run(tasks())}


async def tasks() -> dict[str, float]:
    """Blocks and bytes of one task of asyncio with its coroutine, while it has not ended."""
    tracemalloc.start()
    gc.collect()
    blocks, (size, _) = sys.getallocatedblocks(), tracemalloc.get_traced_memory()
    held = [asyncio.create_task(_targets.nothing()) for _ in range(_TASKS)]
    more, (larger, _) = sys.getallocatedblocks(), tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await asyncio.gather(*held)
    return {"task_blocks": (more - blocks) / _TASKS, "task_bytes": (larger - size) / _TASKS}


def record(calls: int) -> dict[str, Any]:
    """Blocks left when starts and ends were recorded, and the most bytes that were asked of Python meanwhile."""
    course = LoadTest(_targets.nothing, Closed(1), duration=10).settings.course
    tally = Tally(*course.tally_shape(), None)
    moments = [i * 1e-5 for i in range(1_000)]

    def all_of_them() -> None:
        for i in range(calls):
            moment = moments[i % 1_000]
            tally.start(moment, moment, False)
            tally.end(moment, moment, moment, DONE)

    all_of_them()
    gc.collect()
    gc.disable()
    before = sys.getallocatedblocks()
    all_of_them()
    left = sys.getallocatedblocks() - before
    tracemalloc.start()
    all_of_them()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"calls": calls, "left": left, "peak_bytes": peak}
