"""A policy whose decisions are recorded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from seawall._callables import is_coroutine_function

if TYPE_CHECKING:
    from seawall.testing._recorder import Recorder

# Methods of policies whose answers are decisions.
_DECISIONS = frozenset(
    {"try_acquire", "check", "acquire", "acquire_async", "reserve", "enter", "try_enter", "withdraw"}
)


class _Counted:
    """A function that counts how often it is called, for one call through the policy."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.attempts = 0
        self.call = functools.wraps(fn)(_counting(fn, self))


def _counting(fn: Callable[..., Any], counted: _Counted) -> Callable[..., Any]:
    # Of the same kind as the function: a policy treats generators and coroutine functions in their own ways.
    if inspect.isasyncgenfunction(fn):

        async def async_items(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            counted.attempts += 1
            async with aclosing(fn(*args, **kwargs)) as items:
                async for item in items:
                    yield item

        return async_items
    if inspect.isgeneratorfunction(fn):

        def items(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            counted.attempts += 1
            return (yield from fn(*args, **kwargs))

        return items
    if is_coroutine_function(fn):

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            counted.attempts += 1
            return await fn(*args, **kwargs)

        return awaited

    def called(*args: Any, **kwargs: Any) -> Any:
        counted.attempts += 1
        return fn(*args, **kwargs)

    return called


class Recording:
    """Stands in for a policy: decorates, calls and answers as the policy does, and records every decision.

    Whatever it does not record (`stats`, `state`, ...) is the policy's own.
    """

    def __init__(self, policy: Any, recorder: Recorder) -> None:
        self.policy = policy
        self._recorder = recorder

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(fn)(self._recorded(fn))

    def call(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a plain function through the policy."""
        counted = _Counted(fn)
        try:
            result = self.policy.call(counted.call, *args, **kwargs)
        except BaseException as error:
            self._ended(counted, error)
            raise
        self._ended(counted)
        return result

    async def call_async(self, fn: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Await a coroutine function through the policy."""
        counted = _Counted(fn)
        try:
            result = await self.policy.call_async(counted.call, *args, **kwargs)
        except BaseException as error:
            self._ended(counted, error)
            raise
        self._ended(counted)
        return result

    def _recorded(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(fn):
            return lambda *args, **kwargs: self._async_stream(fn, args, kwargs)
        if inspect.isgeneratorfunction(fn):
            return lambda *args, **kwargs: self._stream(fn, args, kwargs)
        call = self.call_async if is_coroutine_function(fn) else self.call
        return functools.partial(call, fn)

    def _stream(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
        counted = _Counted(fn)
        try:
            result = yield from self.policy(counted.call)(*args, **kwargs)
        except BaseException as error:
            self._ended(counted, error)
            raise
        self._ended(counted)
        return result

    async def _async_stream(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> AsyncIterator[Any]:
        counted = _Counted(fn)
        try:
            async with aclosing(self.policy(counted.call)(*args, **kwargs)) as items:
                async for item in items:
                    yield item
        except BaseException as error:
            self._ended(counted, error)
            raise
        self._ended(counted)

    def _ended(self, counted: _Counted, error: BaseException | None = None) -> None:
        self._recorder.note(self.policy, "call", admitted=counted.attempts > 0, attempts=counted.attempts, error=error)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.policy, name)
        return functools.partial(self._ask, name, found) if name in _DECISIONS else found

    def _ask(self, name: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            answer = method(*args, **kwargs)
        except BaseException as error:
            self._recorder.note(self.policy, name, admitted=False, error=error)
            raise
        if inspect.isawaitable(answer):
            return self._await(name, answer)
        self._recorder.note(self.policy, name, admitted=_admitted(answer), answer=answer)
        return answer

    async def _await(self, name: str, awaitable: Awaitable[Any]) -> Any:
        try:
            answer = await awaitable
        except BaseException as error:
            self._recorder.note(self.policy, name, admitted=False, error=error)
            raise
        self._recorder.note(self.policy, name, admitted=_admitted(answer), answer=answer)
        return answer

    def __repr__(self) -> str:
        return f"<Recording of {self.policy!r}>"


def _admitted(answer: Any) -> bool:
    if isinstance(answer, bool):
        return answer
    return bool(getattr(answer, "admitted", True))
