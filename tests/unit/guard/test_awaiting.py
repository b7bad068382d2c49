"""A guarded coroutine function's call, driven by hand and thrown into, as event loops and frameworks do."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.guard import Custom


class Once:
    """Something to await that gives its driver one value, and answers what it is sent."""

    def __await__(self) -> Generator[str, Any, Any]:
        return (yield "ready")


@sw.Bulkhead(1)
async def work() -> Any:
    """Await once; a cancellation is swallowed and becomes the result."""
    try:
        return await Once()
    except asyncio.CancelledError:
        return ["swallowed"]


def test_a_call_driven_by_send_gives_what_is_awaited_and_then_its_result() -> None:
    """Like a coroutine: values go out, values come in, the result is in StopIteration."""
    call: Any = work()
    assert call.send(None) == "ready"
    with pytest.raises(StopIteration) as stop:
        call.send(["sent"])
    assert stop.value.value == ["sent"]


def test_a_callee_that_swallows_what_is_thrown_returns_its_result() -> None:
    """A result after throw is handed on like any other."""
    call: Any = work()
    call.send(None)
    with pytest.raises(StopIteration) as stop:
        call.throw(asyncio.CancelledError())
    assert stop.value.value == ["swallowed"]


async def test_a_task_that_swallows_its_cancellation_has_a_result() -> None:
    """The same through asyncio."""

    @sw.Bulkhead(1)
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "swallowed"
        return "never"

    task = asyncio.create_task(stubborn())  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "swallowed"


def test_a_call_cannot_be_driven_from_inside_itself() -> None:
    """Sending to, throwing into or closing a coroutine that is running is an error, as for any coroutine."""
    said: list[str] = []

    async def callee() -> str:
        for drive in (lambda: flight.send(None), lambda: flight.throw(KeyError()), flight.close):
            try:
                drive()
            except ValueError as error:
                said.append(str(error))
        return "done"

    flight: Any = Custom(Witness())(callee)()
    with pytest.raises(StopIteration) as stop:
        flight.send(None)
    assert stop.value.value == "done"
    assert said == ["coroutine already executing"] * 3
