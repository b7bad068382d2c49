"""A bulkhead against a simple model, in any order of calls, cancellations and steps of the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import seawall as sw
from seawall.clock import ManualClock


class Model:
    """Numbers and a list: what a bulkhead is, without its mechanism."""

    def __init__(self, places: int, queue: int) -> None:
        self.places, self.queue = places, queue
        self.in_flight = 0
        self.line: list[tuple[int, int]] = []  # (task, when its patience ends)
        self.entered: list[int] = []
        self.refused = 0

    def arrive(self, task: int, until: int) -> None:
        """A task asks for a place."""
        if not self.line and self.in_flight < self.places:
            self.admit(task)
        elif len(self.line) < self.queue:
            self.line.append((task, until))
        else:
            self.refused += 1

    def admit(self, task: int) -> None:
        """It has one."""
        self.in_flight += 1
        self.entered.append(task)

    def fill(self) -> None:
        """Places are handed to the line while there are any."""
        while self.line and self.in_flight < self.places:
            self.admit(self.line.pop(0)[0])

    def leave(self) -> None:
        """A place is given back."""
        self.in_flight -= 1
        self.fill()

    def at(self, now: int) -> None:
        """Who has no patience left goes."""
        gone = [one for one in self.line if one[1] <= now]
        self.refused += len(gone)
        self.line = [one for one in self.line if one[1] > now]


class BulkheadMachine(RuleBasedStateMachine):
    """Admits, refuses and forgets exactly as the model does, and in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.entered: list[int] = []

    @initialize(places=st.integers(1, 3), queue=st.integers(1, 4))
    def make(self, places: int, queue: int) -> None:
        """Begin with a random size."""
        self.clock = ManualClock()
        self.bulkhead = sw.Bulkhead(places, max_queue=queue, max_wait=10, clock=self.clock)
        self.model = Model(places, queue)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """In the machine's loop, until nothing moves."""

        async def settled() -> Any:
            result = await work
            for _ in range(20):
                await asyncio.sleep(0)
            return result

        return self.runner.run(settled())

    async def enter(self, task: int) -> None:
        """What a task does: take a place, and keep it."""
        await self.bulkhead.acquire_async()
        self.entered.append(task)

    @rule()
    def arrive(self) -> None:
        """A task asks for a place."""

        async def start() -> None:
            number = len(self.tasks)
            self.tasks[number] = asyncio.create_task(self.enter(number))

        self.model.arrive(len(self.tasks), self.clock.now_ns() + 10_000_000_000)
        self.run(start())

    @rule()
    def try_acquire(self) -> None:
        """The same answer, and nobody is overtaken."""
        expected = not self.model.line and self.model.in_flight < self.model.places
        assert self.bulkhead.try_acquire() == expected
        if expected:
            self.model.in_flight += 1
        else:
            self.model.refused += 1

    @precondition(lambda self: self.model.in_flight > 0)
    @rule()
    def release(self) -> None:
        """A place is given back; the first in line has it."""

        async def leave() -> None:
            self.bulkhead.release()

        self.model.leave()
        self.run(leave())

    @precondition(lambda self: self.model.line)
    @rule(data=st.data(), released=st.booleans())
    def cancel(self, data: st.DataObject, released: bool) -> None:
        """A waiter goes, perhaps in the very moment in which a place is given back."""
        at = data.draw(st.integers(0, len(self.model.line) - 1))
        task = self.model.line[at][0]
        released = released and self.model.in_flight > 0

        async def go() -> None:
            if released:
                self.bulkhead.release()
            self.tasks[task].cancel()

        del self.model.line[at]
        if released:
            self.model.leave()
        self.run(go())

    @rule(seconds=st.integers(1, 12))
    def advance(self, seconds: int) -> None:
        """Time goes on."""

        async def move() -> None:
            self.clock.advance(seconds)

        self.model.at(self.clock.now_ns() + seconds * 1_000_000_000)
        self.run(move())

    @rule(places=st.integers(1, 4))
    def reconfigure(self, places: int) -> None:
        """More places admit the line, fewer hand nothing over."""

        async def change() -> None:
            self.bulkhead.reconfigure(max_concurrent=places)

        self.model.places = places
        self.model.fill()
        self.run(change())

    @invariant()
    def agrees(self) -> None:
        """The same numbers, and the same tasks have entered in the same order."""
        if not hasattr(self, "bulkhead"):
            return
        stats = self.bulkhead.stats()
        assert (stats.in_flight, stats.queued) == (self.model.in_flight, len(self.model.line))
        assert stats.refused == self.model.refused
        assert self.entered == self.model.entered

    def teardown(self) -> None:
        """No task is left to wait."""

        async def end() -> None:
            for task in self.tasks.values():
                task.cancel()
            await asyncio.gather(*self.tasks.values(), return_exceptions=True)

        self.run(end())
        if hasattr(self, "bulkhead"):
            assert self.bulkhead.stats().queued == 0
        self.runner.close()


def test_a_bulkhead_does_what_its_model_does() -> None:
    """Whatever the order of arrivals, releases, cancellations, steps of time and new sizes."""
    run_state_machine_as_test(
        BulkheadMachine, settings=settings(max_examples=80, stateful_step_count=30, deadline=None)
    )
