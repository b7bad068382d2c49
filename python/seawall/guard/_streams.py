"""Generators behind policies: what was admitted before the first item is settled after the last."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any

from seawall._core.guarded import Passage, Route

if TYPE_CHECKING:
    from seawall._core.policy import Policy


def stream(fn: Callable[..., Any], stages: tuple[Policy, ...] | Route, owner: Any) -> Any:
    """A generator function, sync or async, behind `stages`."""
    made = _async_stream(fn, stages) if inspect.isasyncgenfunction(fn) else _sync_stream(fn, stages)
    made.policy, made.stats = owner, owner.stats
    return made


def _sync_stream(fn: Callable[..., Any], stages: tuple[Policy, ...] | Route) -> Any:
    @functools.wraps(fn)
    def items(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        passage = Passage(stages, False)
        what, subject = passage.start()
        result: Any
        while what != "done":
            try:
                if what == "block":
                    result = subject._wait_in()
                elif what == "sleep":
                    result = subject[0].sleep(subject[1])
                else:
                    source = fn(*args, **kwargs) if what == "call" else subject()
                    result = yield from _relay(source, passage)
            except BaseException as error:  # noqa: BLE001 -- the policies decide; what they let through is raised
                what, subject = passage.after(error=error)
            else:
                what, subject = passage.after(result)
        return subject

    return items


def _relay(source: Any, passage: Passage) -> Generator[Any, Any, Any]:
    """`yield from source`, noting the first item."""
    source = iter(source)
    try:
        item = next(source)
        passage.note_item()
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                _close(source)
                raise
            except BaseException as error:
                if not hasattr(source, "throw"):
                    raise
                item = source.throw(error)
            else:
                item = next(source) if sent is None else source.send(sent)
    except StopIteration as stop:
        return stop.value


def _close(source: Any) -> None:
    if hasattr(source, "close"):
        source.close()


def _async_stream(fn: Callable[..., Any], stages: tuple[Policy, ...] | Route) -> Any:
    @functools.wraps(fn)
    async def items(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        passage = Passage(stages, True)
        what, subject = passage.start()
        while what != "done":
            try:
                if what == "block":
                    await subject._wait_in_async()
                elif what == "sleep":
                    await subject[0].sleep_async(subject[1])
                else:
                    source = fn(*args, **kwargs) if what == "call" else subject()
                    # The relay of an async generator cannot be delegated: its loop stands here.
                    item, alive = await _first(source, passage)
                    while alive:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            await source.aclose()
                            raise
                        except BaseException as error:  # noqa: BLE001 -- thrown by the caller into the callee
                            item, alive = await _next(source.athrow(error))
                        else:
                            item, alive = await _next(source.asend(sent))
            except BaseException as error:  # noqa: BLE001 -- the policies decide; what they let through is raised
                what, subject = passage.after(error=error)
            else:
                what, subject = passage.after()

    return items


async def _first(source: Any, passage: Passage) -> tuple[Any, bool]:
    item, alive = await _next(source.__anext__())
    if alive:
        passage.note_item()
    return item, alive


async def _next(step: Any) -> tuple[Any, bool]:
    try:
        return await step, True
    except StopAsyncIteration:
        return None, False
