"""A block or a function of any kind, timed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

from seawall._callables import is_coroutine_function
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall.measure._latency import LatencyAnalyzer

P = ParamSpec("P")
R = TypeVar("R")


class Measured:
    """One timed block, for `with` and `async with`. Belongs to the thread or task that entered it."""

    __slots__ = ("_analyzer", "_began_ns")

    def __init__(self, analyzer: LatencyAnalyzer) -> None:
        self._analyzer = analyzer

    def __enter__(self) -> Self:
        self._began_ns = self._analyzer.clock.now_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A clock that stepped back must not turn a call that succeeded into an error.
        seconds = max(0, self._analyzer.clock.now_ns() - self._began_ns) / 1e9
        if kind is None:
            self._analyzer.record(seconds)
        else:
            self._analyzer.record_error(seconds)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def timed(fn: Callable[P, R], analyzer: LatencyAnalyzer) -> Callable[P, R]:
    """`fn`, each call recorded by `analyzer`."""
    if isinstance(fn, (staticmethod, classmethod)):
        raise ConfigError(f"put @{type(fn).__name__} above the analyzer, not below it")
    if inspect.isclass(fn) or not callable(fn):
        raise ConfigError(f"an analyzer decorates a function, got {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise ConfigError(f"{fn!r} is a generator function: time the loop over it with analyzer.measure() instead")
    if is_coroutine_function(fn):
        return cast("Callable[P, R]", _timed_async(fn, analyzer))

    @functools.wraps(fn)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with Measured(analyzer):
            return fn(*args, **kwargs)

    return call


def _timed_async(fn: Callable[..., Any], analyzer: LatencyAnalyzer) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with Measured(analyzer):
            return await fn(*args, **kwargs)

    return call
