"""Runs the steps of a recovery, for threads and for tasks: the two differ in one line.

A recovery is a generator: it yields functions to be called; what they return is sent in, what they raise is thrown in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar, cast

from seawall._errors import ConfigError

R = TypeVar("R")
Steps = Generator[Callable[[], Any], Any, R]


class _Done:
    """The generator has ended with this."""

    def __init__(self, value: Any) -> None:
        self.value = value


def drive(steps: Steps[R]) -> R:
    """Run the steps in this thread."""
    step = _move(steps.send, None)
    while not isinstance(step, _Done):
        try:
            value = _no_awaitable(step())
        except Exception as error:  # noqa: BLE001 - the recovery decides what becomes of it
            step = _move(steps.throw, error)
        else:
            step = _move(steps.send, value)
    return cast("R", step.value)


async def drive_async(steps: Steps[R]) -> R:
    """Run the steps in this task; what a step returns is awaited if it can be."""
    step = _move(steps.send, None)
    while not isinstance(step, _Done):
        try:
            value = step()
            if isinstance(value, Awaitable):
                value = await value
        except Exception as error:  # noqa: BLE001 - the recovery decides what becomes of it
            step = _move(steps.throw, error)
        else:
            step = _move(steps.send, value)
    return cast("R", step.value)


def _move(go: Callable[[Any], Callable[[], Any]], argument: Any) -> Callable[[], Any] | _Done:
    try:
        return go(argument)
    except StopIteration as done:
        return _Done(done.value)


def _no_awaitable(value: Any) -> Any:
    if isinstance(value, Awaitable):
        close = getattr(value, "close", None)
        if close is not None:
            close()
        raise ConfigError("the call is asynchronous; await recover_async(error, call)")
    return value
