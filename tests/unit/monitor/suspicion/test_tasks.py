"""Tasks that pend for ever."""

from __future__ import annotations

import asyncio

from seawall.clock import ManualClock
from seawall.monitor.suspicion import PendingTask, PendingTasks, stacks_text


async def deeper(event: asyncio.Event) -> None:
    """Waits inside."""
    await event.wait()


async def handler(event: asyncio.Event) -> None:
    """Waits for something that waits."""
    await deeper(event)


async def test_a_task_that_pends_is_told_with_the_whole_chain_of_awaits() -> None:
    """Not only where its own coroutine stands."""
    clock = ManualClock()
    tasks = PendingTasks(after=300, clock=clock)
    task = asyncio.create_task(handler(asyncio.Event()), name="request 7")
    await asyncio.sleep(0)
    assert tasks.look() == ()
    clock.advance(299)
    assert tasks.look() == ()
    clock.advance(1)
    (found,) = [each for each in tasks.look() if each.name == "request 7"]
    assert [place.function for place in found.stack][:3] == ["handler", "deeper", "Event.wait"]
    assert "await event.wait()" in str(found)
    assert "Task request 7, most recent await last:" in stacks_text()
    task.cancel()


async def test_a_task_that_moves_on_is_not_told() -> None:
    """One that awaits in a loop stands at the same place at every look, but awaits another future."""
    clock = ManualClock()
    tasks = PendingTasks(after=300, clock=clock)
    steps = asyncio.Queue()

    async def work() -> None:
        while True:
            await steps.get()

    task = asyncio.create_task(work(), name="moves")
    for _ in range(4):
        await asyncio.sleep(0)
        clock.advance(200)
        assert "moves" not in {each.name for each in tasks.look()}
        steps.put_nowait(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    task.cancel()


def test_tasks_that_wait_for_each_other_are_a_circle() -> None:
    """Each is told with those that it waits for."""
    pair: dict[str, asyncio.Task[None]] = {}

    async def wait_for(other: str) -> None:
        await asyncio.sleep(0)
        await pair[other]

    async def look() -> dict[str, PendingTask]:
        clock = ManualClock()
        tasks = PendingTasks(after=60, clock=clock)
        for name, other in (("a", "b"), ("b", "a")):
            pair[name] = asyncio.create_task(wait_for(other), name=name)
        for _ in range(4):
            await asyncio.sleep(0)
        tasks.look()
        clock.advance(60)
        return {each.name: each for each in tasks.look() if each.name in pair}

    loop = asyncio.new_event_loop()
    try:
        found = loop.run_until_complete(look())
    finally:
        # To cancel one of a circle is to cancel itself, without end: their coroutines are closed instead.
        for task in pair.values():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            task.get_coro().close()  # type: ignore[union-attr]
        loop.close()
    assert found["a"].waits_for == ("b", "a")
    assert found["a"].circular
    assert found["b"].circular


async def test_a_task_that_may_pend_is_not_told() -> None:
    """By its name, or by that of its coroutine function."""
    clock = ManualClock()
    named = asyncio.create_task(handler(asyncio.Event()), name="accept")
    other = asyncio.create_task(deeper(asyncio.Event()), name="x")
    await asyncio.sleep(0)
    tasks = PendingTasks(after=60, ignore={"accept", "deeper"}, clock=clock)
    tasks.look()
    clock.advance(100)
    assert {"accept", "x"}.isdisjoint({each.name for each in tasks.look()})
    named.cancel()
    other.cancel()
