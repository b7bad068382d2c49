"""Functions each call of which is a span."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any

from seawall._callables import is_coroutine_function
from seawall._core import tracing as _core
from seawall.errors import ConfigError
from seawall.observe.tracing._active import Active

_Begin = Callable[[], Any]


def traced(
    tracer: Any, fn: Any, name: str | None, attributes: Mapping[str, Any] | None, kind: str | None
) -> Callable[..., Any]:
    """`fn` with a span around each call."""
    if not callable(fn) or inspect.isclass(fn):
        raise ConfigError(f"only a function can be traced, got {fn!r}")
    title = str(name or getattr(fn, "__qualname__", type(fn).__qualname__))

    def begin() -> Any:
        return tracer.span(title, attributes, kind=kind)

    if inspect.isasyncgenfunction(fn):
        return _async_items(fn, begin)
    if inspect.isgeneratorfunction(fn):
        return _items(fn, begin)
    if is_coroutine_function(fn):
        return _awaited(fn, begin)
    if isinstance(tracer, _core.Tracer):
        return _resembling(_core.Traced(tracer, fn, title, kind, attributes), fn)
    return _called(fn, begin)


def _resembling(made: _core.Traced, fn: Any) -> _core.Traced:
    """With the names and attributes of the function."""
    mine = vars(made)
    mine.update({name: getattr(fn, name) for name in functools.WRAPPER_ASSIGNMENTS if hasattr(fn, name)})
    mine.update(getattr(fn, "__dict__", {}))
    return made


def _called(fn: Any, begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return fn(*args, **kwargs)

    return run


def _awaited(fn: Any, begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def run(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return await fn(*args, **kwargs)

    return run


def _items(fn: Any, begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        span, source = begin(), fn(*args, **kwargs)
        step, value = source.send, None
        with _Ending(span):
            while True:
                try:
                    with Active(span):
                        item = step(value)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, value = source.send, (yield item)
                except GeneratorExit:
                    with Active(span):
                        source.close()
                    raise
                except BaseException as error:  # noqa: BLE001 -- thrown in by the caller: the source decides
                    step, value = source.throw, error

    return run


def _async_items(fn: Any, begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        span, source = begin(), fn(*args, **kwargs)
        step, value = source.asend, None
        with _Ending(span):
            while True:
                try:
                    with Active(span):
                        item = await step(value)
                except StopAsyncIteration:
                    return
                try:
                    step, value = source.asend, (yield item)
                except GeneratorExit:
                    with Active(span):
                        await source.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 -- thrown in by the caller: the source decides
                    step, value = source.athrow, error

    return run


class _Ending:
    """Ends a span with what the block raised, without making it the current one."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # Its exit gives back no place, for it never took one.
        self._span.__exit__(kind, None if isinstance(error, GeneratorExit) else error, trace)
