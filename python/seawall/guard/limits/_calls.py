"""A limit as a decorator: the same object guards functions, coroutines, generators and async generators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol, TypeVar, cast

from seawall.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])


class Acquires(Protocol):
    """What can be waited for."""

    def acquire(self) -> None: ...
    async def acquire_async(self) -> None: ...


def guarded(limit: Acquires, fn: F) -> F:
    """`fn`, acquiring `limit` before each call; of a generator, before its first item."""
    if not callable(fn):
        raise ConfigError(f"a limit decorates a function, got {fn!r}")
    if inspect.isasyncgenfunction(fn):

        @functools.wraps(fn)
        async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            await limit.acquire_async()
            async with aclosing(fn(*args, **kwargs)) as source:
                step = source.asend(None)
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        return
                    try:
                        step = source.asend((yield item))
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - as `yield from` does: what is thrown in goes through
                        step = source.athrow(error)

        return cast(F, stream)
    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def task(*args: Any, **kwargs: Any) -> Any:
            await limit.acquire_async()
            return await fn(*args, **kwargs)

        return cast(F, task)
    if inspect.isgeneratorfunction(fn):

        @functools.wraps(fn)
        def items(*args: Any, **kwargs: Any) -> Any:
            limit.acquire()
            return (yield from fn(*args, **kwargs))

        return cast(F, items)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        limit.acquire()
        return fn(*args, **kwargs)

    return cast(F, call)
