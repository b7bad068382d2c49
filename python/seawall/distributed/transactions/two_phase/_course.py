"""Courses: what is to be done, written once, and taken by a thread or by a task.

A course yields operations of the log, and calls of participants that may be made at the same time; it receives what
came of them. Participants are the user's, and may be slow: no lock is held over a call.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeVar

from seawall.engines.operation import Op, perform, perform_async

R = TypeVar("R")


class Run(NamedTuple):
    """An operation of the log; its result comes back, its error is raised."""

    operation: Op[Any]


class Call(NamedTuple):
    """A method of a participant. For tasks its twin `..._async` where there is one, else the method in a thread."""

    whose: Any
    method: str
    args: tuple[Any, ...]


class Calls(NamedTuple):
    """Calls that may be made at the same time; their results or exceptions come back, in order."""

    calls: tuple[Call, ...]


Course = Generator[Run | Calls, Any, R]
"""A course with a result of R."""


def take(course: Course[R], driver: Any) -> R:
    """Take a course in this thread, one call after another."""

    def do(step: Run | Calls) -> Any:
        if isinstance(step, Run):
            return driver.run(step.operation)
        return tuple(_answer(call) for call in step.calls)

    return perform(course, do)


async def take_async(course: Course[R], driver: Any) -> R:
    """Take a course in this task, calls at the same time."""

    async def do(step: Run | Calls) -> Any:
        if isinstance(step, Run):
            return await driver.run_async(step.operation)
        return await asyncio.gather(*(_answer_async(call) for call in step.calls))

    return await perform_async(course, do)


def _answer(call: Call) -> Any:
    try:
        return getattr(call.whose, call.method)(*call.args)
    except Exception as error:  # noqa: BLE001 - a participant's failure is an answer
        return error


async def _answer_async(call: Call) -> Any:
    try:
        return await called_async(getattr(call.whose, f"{call.method}_async", None), call)
    except Exception as error:  # noqa: BLE001 - a participant's failure is an answer
        return error


async def called_async(twin: Callable[..., Any] | None, call: Call) -> Any:
    """The twin's answer, or that of the plain method in a thread."""
    if twin is not None:
        return await twin(*call.args)
    method = getattr(call.whose, call.method)
    if inspect.iscoroutinefunction(method):
        return await method(*call.args)
    return await asyncio.to_thread(method, *call.args)


def one(whose: Any, method: str, *args: Any) -> Generator[Run | Calls, Any, Any]:
    """One call; its exception is raised."""
    (answer,) = yield Calls((Call(whose, method, args),))
    if isinstance(answer, Exception):
        raise answer
    return answer
