"""The steps of a shutdown, done by a thread or by a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seawall._callables import is_coroutine_function
from seawall.clock import Clock
from seawall.monitor._flight import Flight
from seawall.monitor.health._scrub import Scrubber, error_text
from seawall.monitor.shutdown._words import Closed

if TYPE_CHECKING:
    from seawall.monitor.shutdown._gong import Gong

_SCRUB = Scrubber()


@dataclass(frozen=True, slots=True)
class Ending:
    """A function to be called at the end.

    Args:
        name: Its name.
        fn: Function or coroutine function without arguments.
        seconds: Its time.
        in_thread: Where a task shuts down: call a plain function in a thread, so that it may block.
    """

    name: str
    fn: Callable[[], Any]
    seconds: float
    in_thread: bool


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until something is over, or until a time, or until somebody hurries."""

    over: Callable[[], bool]
    at_ns: int


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function, and wait until it ends, its time is up, or somebody hurries."""

    ending: Ending
    seconds: float


Step = Until | Call


class Doer:
    """Does steps.

    Args:
        gong: Struck when anything changes.
        clock: What measures time.
        hurried: Whether somebody hurries.
    """

    def __init__(self, gong: Gong, clock: Clock, hurried: Callable[[], bool]) -> None:
        self._gong = gong
        self._clock = clock
        self._hurried = hurried

    def do(self, step: Step) -> Closed | None:
        """In this thread."""
        if isinstance(step, Until):
            self._gong.wait(step.at_ns, lambda: step.over() or self._hurried())
            return None
        flight = self._start(step, task=False)
        self._gong.wait(flight.until_ns, lambda: flight.done or self._hurried())
        return self._closed(step.ending.name, flight)

    async def do_async(self, step: Step) -> Closed | None:
        """In this task."""
        if isinstance(step, Until):
            await self._gong.wait_async(step.at_ns, lambda: step.over() or self._hurried())
            return None
        ending = step.ending
        if not ending.in_thread and not is_coroutine_function(ending.fn):
            return self._call_here(ending)
        flight = self._start(step, task=True)
        await self._gong.wait_async(flight.until_ns, lambda: flight.done or self._hurried())
        return self._closed(ending.name, flight)

    def _call_here(self, ending: Ending) -> Closed:
        """What belongs to the loop is quick, and must be called in it."""
        began = self._clock.now_ns()
        try:
            ending.fn()
        except Exception as error:  # noqa: BLE001 - one that fails keeps the others from nothing
            return Closed(ending.name, "failed", self._since(began), _SCRUB(error_text(error)))
        return Closed(ending.name, "closed", self._since(began))

    def _start(self, step: Call, *, task: bool) -> Flight:
        flight = Flight(step.ending.fn, step.seconds, self._clock, f"seawall-close-{step.ending.name}", task=task)
        flight.future.add_done_callback(lambda _: self._gong.strike())
        return flight

    def _closed(self, name: str, flight: Flight) -> Closed:
        took = self._since(flight.started_ns)
        if not flight.done:
            flight.give_up()
            return Closed(name, "timed out" if flight.overdue else "cut", took)
        error = flight.future.exception()
        if error is not None:
            return Closed(name, "failed", took, _SCRUB(error_text(error)))
        return Closed(name, "closed", took)

    def _since(self, began: int) -> float:
        return (self._clock.now_ns() - began) / 1e9
