"""Generators behind policies: what was admitted before the first item is settled after the last."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from seawall._core.guarded import Route
from seawall._core.passage import Passage

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
    """`yield from source`, telling the policies when it runs and when its caller does."""
    source = iter(source)
    step = partial(next, source)
    try:
        while True:
            if not passage.resume():
                _stop(source)
            item = step()
            if not passage.pause():
                _stop(source)
            try:
                sent = yield item
            except GeneratorExit:
                _close(source)
                raise
            except BaseException as error:
                if not hasattr(source, "throw"):
                    raise
                step = partial(source.throw, error)
            else:
                step = partial(next, source) if sent is None else partial(source.send, sent)
    except StopIteration as stop:
        return stop.value


def _stop(source: Any) -> NoReturn:
    """A policy ended the call: to the policies inside it that is a cancellation."""
    _close(source)
    raise GeneratorExit


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
                    step = source.__anext__
                    while True:
                        try:
                            item = await _item(step, source, passage)
                        except StopAsyncIteration:
                            break
                        try:
                            sent = yield item
                        except GeneratorExit:
                            await source.aclose()
                            raise
                        except BaseException as error:  # noqa: BLE001 -- thrown by the caller into the callee
                            step = partial(source.athrow, error)
                        else:
                            step = partial(source.asend, sent)
            except BaseException as error:  # noqa: BLE001 -- the policies decide; what they let through is raised
                what, subject = passage.after(error=error)
            else:
                what, subject = passage.after()

    return items


async def _item(step: Callable[[], Any], source: Any, passage: Passage) -> Any:
    if not passage.resume():
        await _stop_async(source)
    item = await step()
    if not passage.pause():
        await _stop_async(source)
    return item


async def _stop_async(source: Any) -> NoReturn:
    await source.aclose()
    raise GeneratorExit
