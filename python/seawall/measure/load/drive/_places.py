"""Places of calls in an event loop: made by a worker, left at the end."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from seawall.measure.load.target._callable import entered

# How long the end of a run waits for tasks that swallow their cancellation, in seconds.
_PATIENCE = 1.0


class Place:
    """Room for one call at a time, with the state that a worker made for it."""

    __slots__ = ("due", "leave", "number", "overdue", "pending", "ready", "row", "started", "state", "task")

    def __init__(self, *, ready: bool) -> None:
        self.ready = ready
        # Whether a call is under way whose end is still to be counted.
        self.pending = self.overdue = False
        self.due = self.started = 0.0
        self.number = 0
        self.state: Any = None
        self.row: Any = None
        self.leave: Callable[[], Any] | None = None
        self.task: asyncio.Task[None] | None = None


async def enter(place: Place, worker: Callable[[], Any], timeout: float) -> None:
    """Make the state of a place.

    Raises:
        TimeoutError: It takes longer than a call may; without that bound a run could wait for ever.
    """
    try:
        async with asyncio.timeout(timeout) as bound:
            place.state, place.leave = await entered(worker)
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise TimeoutError(not_made(timeout)) from error
    place.ready = True


def not_made(timeout: float) -> str:
    """The words where a worker is not made in time."""
    return f"the worker of a scenario was not made within the timeout of {timeout:g} s; make it faster or raise timeout"


async def leave_all(places: Iterable[Place], timeout: float) -> str:
    """Leave all places that were entered, at the same time; what went wrong, in words.

    An error of one keeps no other from being left, and takes no result from anybody: it comes after all calls.
    """
    entered_ones = [place.leave for place in places if place.leave is not None]
    if not entered_ones:
        return ""
    leaving = [asyncio.ensure_future(_left(leave)) for leave in entered_ones]
    await asyncio.wait(leaving, timeout=max(timeout, _PATIENCE))
    late = [task for task in leaving if not task.done()]
    await end_tasks(late)
    errors = [task.exception() for task in leaving if task not in late and not task.cancelled()]
    words = [f"{type(error).__name__}: {error}" for error in errors if error is not None]
    words += ["it took longer than the timeout"] * len(late)
    return summed_up(words)


def summed_up(words: list[str]) -> str:
    """Troubles with leaving workers, as one."""
    return f"{words[0]} ({len(words):,} of the workers)" if words else ""


async def _left(leave: Callable[[], Any]) -> None:
    left = leave()
    if inspect.isawaitable(left):
        await left


async def end_tasks(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their ends; those that swallow it are broken off after a while."""
    rest = [task for task in tasks if not task.done()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=_PATIENCE)
    stubborn = [task for task in rest if not task.done()]
    for task in stubborn:
        # Closing its coroutine raises GeneratorExit in it, which hardly anything swallows.
        with contextlib.suppress(Exception):
            task.get_coro().close()
        task.cancel()
    if stubborn:
        await asyncio.wait(stubborn, timeout=_PATIENCE)
    for task in tasks:
        if task.done() and not task.cancelled():
            # Looked at, or the loop would log it.
            task.exception()
