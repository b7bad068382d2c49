"""A function behind policies, whatever kind of function it is."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from seawall._callables import is_coroutine_function
from seawall._core import guarded as _core
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall._core.policy import Policy

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S")

# Calling such a function runs nothing of it yet.
_LATER = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


class Guarded(Protocol[P, R_co]):
    """A function behind policies: called like the function, and it tells what its policies have done."""

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The function itself."""

    @property
    def policy(self) -> Any:
        """What guards it: a policy or a pipeline."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @overload
    def __get__(self, instance: None, owner: Any) -> Guarded[P, R_co]: ...
    @overload
    def __get__(self: Guarded[Concatenate[S, Q], R_co], instance: S, owner: Any) -> Callable[Q, R_co]: ...

    def stats(self) -> Any:
        """What the policies have done so far."""


def protect(fn: Callable[P, R], stages: tuple[Policy, ...] | _core.Route, owner: Any) -> Guarded[P, R]:
    """`fn` behind `stages`, outermost first; errors and statistics name `owner`."""
    if isinstance(fn, (staticmethod, classmethod)):
        raise ConfigError(f"put @{type(fn).__name__} above the policy, not below it")
    if inspect.isclass(fn) or not callable(fn):
        raise ConfigError(f"a policy decorates a function, got {fn!r}")
    callee = carried(fn, stages.policies if isinstance(stages, _core.Route) else stages)
    if inspect.isasyncgenfunction(fn) or inspect.isgeneratorfunction(fn):
        from seawall.guard._streams import stream

        return cast("Guarded[P, R]", stream(callee, stages, owner))
    is_async = is_coroutine_function(fn)
    made = _core.Guarded(callee, stages, owner, is_async)
    _resemble(made, fn)
    if is_async:
        _mark(made)
    return cast("Guarded[P, R]", made)


def carried(fn: Any, stages: tuple[Policy, ...]) -> Any:
    """`fn` as it is run where a policy runs it elsewhere (in another thread), else `fn` itself."""
    for stage in reversed(stages):
        carry = getattr(stage, "_carry", None)
        if carry is not None:
            fn = carry(fn)
    return fn


def called_plainly(fn: Any) -> None:
    """Refuse what `call` would only create, with its policies seeing nothing of what it does."""
    if type(fn) is FunctionType and not fn.__code__.co_flags & _LATER and not fn.__dict__:
        return
    if is_coroutine_function(fn):
        raise ConfigError(f"{fn!r} is a coroutine function: await call_async(...) instead")
    _refuse_streams(fn)


def awaited(fn: Any) -> None:
    """Refuse what `call_async` would only create."""
    if type(fn) is not FunctionType or fn.__code__.co_flags & _LATER:
        _refuse_streams(fn)


def _refuse_streams(fn: Any) -> None:
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise ConfigError(f"{fn!r} is a generator function: decorate it instead, and iterate over what it gives")


def _resemble(made: Any, fn: Any) -> None:
    for name in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(fn, name):
            made.__dict__[name] = getattr(fn, name)
    made.__dict__.update(getattr(fn, "__dict__", {}))


def _mark(made: Any) -> None:
    """Tell asyncio and inspect that calling this gives an awaitable."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(made)
    else:
        made._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
