"""Series of metrics: what is counted with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar

from seawall._core import metrics as _kernel
from seawall._core.descriptors import own_methods
from seawall.errors import ConfigError

_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound="_kernel.Bound")


def _repr(self: _kernel.Bound) -> str:
    labels = ", ".join(f"{name}={value!r}" for name, value in self.label_values.items())
    return f"<{type(self).__name__} {self.name}{{{labels}}}>"


@own_methods
class Counter(_kernel.Counter):
    """A total that only rises; all workers of a segment add to one.

    `inc(n=1, exemplar=None)` adds a number from 0. Whole numbers are kept exactly, fractions in billionths.
    `value` is the total. An exemplar, `{"trace_id": "..."}`, stands for what was counted: the latest is kept.

    Guarantees: no `inc` is lost, also when its process is killed after it.
    Thread safety: any thread. Cost: about 15 ns an `inc`; 128 bytes and the label values.

    Raises:
        ValueError: `n` is negative, not finite or from 9.2e18; the total stays as it was.
        TypeError: `n` is no number.
    """

    __slots__ = ()
    __repr__ = _repr


@own_methods
class Gauge(_kernel.Gauge):
    """A number that goes up and down; every worker has its own, and they are put together when somebody looks.

    `set(x)` replaces the value of this process, `inc(n=1)` and `dec(n=1)` move it, `value` reads it. What a snapshot
    says is over the workers that live: their sum, minimum, maximum, or what was set last.

    Thread safety: any thread. Cost: about 18 ns a call; 8 bytes a worker that may be, twice that for `across="last"`.

    Raises:
        ValueError: a number is not finite, or the move would leave the range of a float; the value stays as it was.
        TypeError: an argument is no number, or is a bool.
    """

    __slots__ = ()
    __repr__ = _repr

    @contextmanager
    def track_inprogress(self) -> Iterator[Self]:
        """One more while the block runs; also a decorator."""
        self.inc()
        try:
            yield self
        finally:
            self.dec()


@own_methods
class Histogram(_kernel.Histogram):
    """How values are spread; all workers of a segment count into one.

    `observe(value, exemplar=None)` counts a value from 0; one above `highest` counts as `highest`. An exemplar,
    `{"trace_id": "..."}`, stands for the value: the latest is kept.

    Guarantees: no value is lost. A quantile is off by at most 1/10**digits of itself; the sum is exact to a billionth.
    Units: seconds by convention, or what the name ends with.
    Thread safety: any thread. Cost: about 18 ns a value; 27 KiB with the default layout, a tenth of it for each digit
    less.

    Raises:
        ValueError: the value is negative or not finite.
        TypeError: it is no number.
    """

    __slots__ = ()
    __repr__ = _repr

    def time(self) -> Timer:
        """Measures how long a block takes, in seconds: `with latency.time():`, or `@latency.time()`."""
        return Timer(self)


class Timer:
    """Observes how long its block takes, however it ends.

    One timer may be used many times, one block after the other or nested.
    """

    __slots__ = ("_histogram", "_starts")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._starts: list[int] = []

    def __enter__(self) -> Self:
        self._starts.append(self._histogram.clock.now_ns())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._histogram.observe((self._histogram.clock.now_ns() - self._starts.pop()) / 1e9)

    def __call__(self, fn: Callable[_P, _R]) -> Callable[_P, _R]:
        """`fn`, every call of which is measured; a coroutine function until its coroutine ends."""
        histogram = self._histogram
        if inspect.iscoroutinefunction(fn):

            async def measured_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with Timer(histogram):
                    return await fn(*args, **kwargs)

            return functools.wraps(fn)(measured_async)  # type: ignore[return-value]  # what _R is, a coroutine

        @functools.wraps(fn)
        def measured(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with Timer(histogram):
                return fn(*args, **kwargs)

        return measured


@_kernel.quick_labels
@own_methods
class Labelled(_kernel.Labelled, Generic[_S]):
    """A family of series, one for each combination of label values.

    `labels("GET", "200")` or `labels(method="GET", code="200")` is the series; keep it where it is used often. Values
    that are no str are written as `str` writes them.

    Guarantees: bounded. Beyond `max_series` combinations, and where memory ends, all further ones are one series whose
    labels are all `overflow`, and `seawall_metrics_dropped` counts how often that was asked for.
    Thread safety: any thread. Cost: about 60 ns for a series that this process has seen, some us for a new one.

    Raises:
        ValueError: other labels than the family has.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def labels(self, *values: object, **named: object) -> _S:
            """The series of these label values."""

    def inc(self, *_: object, **__: object) -> None:
        """Refused: which series?"""
        raise ConfigError(_which(self, "inc()"))

    def set(self, *_: object, **__: object) -> None:
        """Refused: which series?"""
        raise ConfigError(_which(self, "set()"))

    def observe(self, *_: object, **__: object) -> None:
        """Refused: which series?"""
        raise ConfigError(_which(self, "observe()"))

    def __repr__(self) -> str:
        return f"<Labelled {self.name}{{{', '.join(self.label_names)}}}>"


def _which(family: _kernel.Labelled, call: str) -> str:
    labels = ", ".join(f"{name}=..." for name in family.label_names)
    return f"{family.name} has labels, so say which series: labels({labels}).{call}"
