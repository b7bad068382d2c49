"""The current span, and everything else in context, carried into threads and processes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from seawall.errors import current_context, error_context
from seawall.observe.tracing._active import Active
from seawall.observe.tracing._current import current_position
from seawall.observe.tracing._headers import parsed

P = ParamSpec("P")
R = TypeVar("R")


def carry(fn: Callable[P, R]) -> Callable[P, R]:
    """`fn` as if called here: with the span, the Deadline and all else that is in context now, in whatever thread.

    Args:
        fn: For `threading.Thread(target=carry(work))`, `loop.run_in_executor(None, carry(work))` and callbacks; it may
            be called any number of times, also at once.

    Example:
        >>> import threading
        >>> from seawall.observe.tracing import Tracer
        >>> tracer = Tracer("shop")
        >>> def work():
        ...     with tracer.span("work"): pass
        >>> with tracer.span("request"):
        ...     thread = threading.Thread(target=carry(work))
        ...     thread.start(); thread.join()
        >>> [span.name for span in tracer.store.recent()[0].spans]
        ['request', 'work']
    """
    context = copy_context()

    @functools.wraps(fn)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # A context can be entered by one thread at a time; a copy costs nothing worth naming.
        return context.copy().run(fn, *args, **kwargs)

    return run


class Carrying(Executor):
    """An executor whose calls see the context of who submits them.

    In threads they see all of it, in processes the trace and the correlation id.

    Args:
        executor: A ThreadPoolExecutor, a ProcessPoolExecutor, or one like them. It is shut down with this one.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from seawall.observe.tracing import Tracer, current_span
        >>> tracer = Tracer("shop")
        >>> with Carrying(ThreadPoolExecutor(1)) as pool, tracer.span("request") as span:
        ...     pool.submit(lambda: current_span().span_id).result() == span.span_id
        True
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As the executor's, in the context of this call."""
        if isinstance(self._executor, ProcessPoolExecutor):
            return self._executor.submit(Resumed.here(fn), *args, **kwargs)
        return self._executor.submit(copy_context().run, fn, *args, **kwargs)

    def map(
        self, fn: Callable[..., Any], *iterables: Iterable[Any], timeout: float | None = None, chunksize: int = 1
    ) -> Iterator[Any]:
        """As the executor's, in the context of this call."""
        across = isinstance(self._executor, ProcessPoolExecutor)
        carried = Resumed.here(fn) if across else carry(fn)
        return self._executor.map(carried, *iterables, timeout=timeout, chunksize=chunksize)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut the executor down."""
        self._executor.shutdown(wait, cancel_futures=cancel_futures)


class Resumed:
    """A function to be called in another process as if called here; pickles with where the trace is."""

    __slots__ = ("_correlation_id", "_fn", "_traceparent", "_tracestate")

    def __init__(self, fn: Callable[..., Any], traceparent: str, tracestate: str, correlation_id: str | None) -> None:
        self._fn, self._traceparent, self._tracestate = fn, traceparent, tracestate
        self._correlation_id = correlation_id

    @classmethod
    def here(cls, fn: Callable[..., Any]) -> Resumed:
        """With the trace and the correlation id of this moment."""
        position, context = current_position(), current_context()
        correlation_id = None if context is None else context.correlation_id
        if position is None:
            return cls(fn, "", "", correlation_id)
        return cls(fn, position.traceparent, position.tracestate, correlation_id)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            position = parsed(self._traceparent, self._tracestate)
            if position is not None:
                stack.enter_context(Active(position))
            if self._correlation_id is not None:
                stack.enter_context(error_context(correlation_id=self._correlation_id))
            return self._fn(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return Resumed, (self._fn, self._traceparent, self._tracestate, self._correlation_id)
