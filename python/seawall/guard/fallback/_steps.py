"""What may be answered in place of a failure: values, functions, and the last good result."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

from seawall.errors import ConfigError


class Value:
    """The same value each time."""

    source = "value"

    def __init__(self, value: Any) -> None:
        self.value = value


class Function:
    """What a function answers; it is given the error if it takes one argument or more."""

    def __init__(self, fn: Callable[..., Any], source: str | None = None) -> None:
        self.fn = fn
        self.source = source or str(getattr(fn, "__name__", type(fn).__name__))
        self.wants_error = source is None and _wants_argument(fn)

    def bound(self, error: BaseException) -> Callable[[], Any]:
        """The function, with all it is called with."""
        return (lambda: self.fn(error)) if self.wants_error else self.fn


def _wants_argument(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except ValueError:  # built in without a signature: dict, str
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = [p.name for p in parameters if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    if len(needed) > 1 or keywords:
        raise ConfigError(f"a fallback function takes nothing, or the error, got {fn!r} that takes more")
    return bool(needed) or (any(p.kind is p.VAR_POSITIONAL for p in parameters) and not isinstance(fn, type))


def for_plain(make: Callable[[], Any]) -> Callable[[], Any]:
    """`make` for a plain call, which cannot await."""

    def call() -> Any:
        answer = make()
        if inspect.iscoroutine(answer):
            answer.close()
            raise ConfigError(f"the fallback {make!r} is a coroutine function, and the call it answers for is not")
        return answer

    return call


def as_stream(make: Callable[[], Any], is_async: bool) -> Callable[[], Any]:
    """`make` for a generator: the items of what it answers."""
    return (lambda: _items(make)) if is_async else for_plain(make)


async def _items(make: Callable[[], Any]) -> AsyncIterator[Any]:
    answer = make()
    if inspect.isawaitable(answer):
        answer = await answer
    if hasattr(answer, "__aiter__"):
        async for item in answer:
            yield item
    else:
        for item in answer:
            yield item
