"""The tracer people hold: our own recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, Protocol, Self, TypeVar, overload

from seawall._core import tracing as _core
from seawall._core.tracing import Batch, Span
from seawall.clock import Clock, ManualClock, SystemClock, WallClock, to_ns
from seawall.errors import ConfigError
from seawall.observe.tracing._ending import close_at_exit, forget_at_exit
from seawall.observe.tracing._guards import Instrumented, instrument
from seawall.observe.tracing._options import TracerOptions
from seawall.observe.tracing._store import Store
from seawall.observe.tracing._traced import traced

P = ParamSpec("P")
R = TypeVar("R")
_OWN: Any = object()


class Sink(Protocol):
    """Where kept traces go. `offer` must neither wait nor raise: it is called where a trace ends."""

    def offer(self, batch: Batch, /) -> None:
        """Take ended spans of one trace."""

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what was taken; whether it was done in time."""

    def close(self, timeout: float = 5.0) -> bool:
        """Send what was taken, and stop."""


class TracerStats(NamedTuple):
    """A snapshot of one tracer.

    Attributes:
        recorded: Spans begun and recorded, kept or not.
        unrecorded: Spans begun of which nothing was recorded.
        kept: Traces kept.
        dropped: Traces recorded and not kept.
        late: Spans that ended after their trace was not kept.
        overflow: Spans not held because their trace had `max_spans`.
        abandoned: Traces whose root never ended.
        failures: Sinks and predicates that raised.
    """

    recorded: int
    unrecorded: int
    kept: int
    dropped: int
    late: int
    overflow: int
    abandoned: int
    failures: int


class Tracer(_core.Tracer):
    """Begins spans, and decides which traces are kept: head sampling by trace id, tail sampling by how it ended.

    A trace is gathered until its first span in this process ends. It is kept when it was sampled, when one of its spans
    failed, when it took `slower_than` or longer, or when `keep` says so. Kept traces go to `store` and to `exporters`.
    With `sample` below 1 and nothing to keep by its end, an unsampled trace is not recorded at all.

    Guarantees: no span is told twice, also after a fork; a child process tells only what it began. Everything is
    bounded. Neither a sink nor a collector can fail or block who is traced.

    Units: seconds.

    Thread safety: yes; context variables carry the current span into tasks, `carry` into threads and processes.

    Cost: about 0.5 us a recorded span, 0.15 us the first unrecorded one, 0.1 us one below it.

    Args:
        service: Name of the service.
        sample: The share of traces that are sampled, 0 to 1, by trace id, so that all services with the same share
            choose the same; or a function of the first span's name.
        keep: A function of the first span that ended, for traces that nothing else keeps.
        store: Where kept traces can be read, by default a Store of its own; None: nowhere.
        exporters: Where kept traces are sent.
        resource: Further attributes of the service, such as {"deployment.environment.name": "test"}.
        clock: What measures.
        wall: What time spans are told to have begun at; by default the machine's, or `clock` when that is manual.
        options: Those of TracerOptions: follow_parent, keep_errors, slower_than, and the bounds max_spans,
            max_attributes, max_events and max_value.

    Raises:
        ConfigError: An option that can never work.

    Example:
        >>> tracer = Tracer("shop")
        >>> with tracer.span("charge", {"order.id": 7}) as span:
        ...     span.event("asked the bank")
        >>> tracer.store.recent(1)[0].root.name
        'charge'
    """

    __slots__ = ("__weakref__", "exporters", "options", "store")

    def __init__(
        self,
        service: str,
        *,
        sample: float | Callable[[str], object] = 1.0,
        keep: Callable[[Span], object] | None = None,
        store: Store | None = _OWN,
        exporters: Iterable[Sink] = (),
        resource: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        wall: WallClock | ManualClock | None = None,
        **options: Any,
    ) -> None:
        decide = sample if callable(sample) else None
        self.options = TracerOptions.from_dict({**options, "sample": 1.0 if decide else sample})
        if not isinstance(service, str) or not service:
            raise ConfigError(f"service must be a name, got {service!r}")
        self.store = Store() if store is _OWN or store is None else store
        self.exporters = tuple(exporters)
        clock = clock or SystemClock()
        sinks = [] if store is None else [self.store.offer]
        sinks += [sink.offer for sink in self.exporters]
        named = {"service.name": service, **(resource or {})}
        self._begin_with(named, clock, _wall(clock, wall), decide, keep, tuple(sinks))
        if self.exporters:
            close_at_exit(self)

    def _begin_with(  # noqa: PLR0917
        self, resource: dict[str, Any], clock: Clock, wall: Any, decide: Any, keep: Any, sinks: tuple[Any, ...]
    ) -> None:
        options = self.options
        slower = options.slower_than
        self._arrange(
            resource, clock, wall, options.sample, decide, options.follow_parent, options.keep_errors,
            -1 if slower is None else to_ns(slower, "slower_than", least_ns=0), keep,
            (options.max_spans, options.max_attributes, options.max_events, options.max_value), sinks,
        )  # fmt: skip

    @property
    def service(self) -> str:
        """Name of the service."""
        return str(self.resource["service.name"])

    @overload
    def traced(self, fn: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def traced(
        self, name: str | None = None, /, attributes: Mapping[str, Any] | None = None, *, kind: str | None = None
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def traced(
        self, what: Any = None, /, attributes: Mapping[str, Any] | None = None, *, kind: str | None = None
    ) -> Any:
        """Make each call of a function a span: plain, coroutine, generator and async generator functions.

        A generator's span is open from its first item to its end, and current while the generator runs.

        Args:
            what: The function, or the name of the spans; by default the function's.
            attributes: Of every span.
            kind: One of KINDS.

        Example:
            >>> tracer = Tracer("shop")
            >>> @tracer.traced("price")
            ... def price(order): return 3 * order
            >>> price(2)
            6
        """
        if kind is not None and kind not in _core.KINDS:
            raise ConfigError(f"kind must be one of {', '.join(_core.KINDS)}, got {kind!r}")
        if callable(what):
            return traced(self, what, None, None, None)
        return lambda fn: traced(self, fn, what, attributes, kind)

    def instrument(self, *guards: Any) -> Instrumented:
        """As the function `instrument`: policies tell the current span what they do."""
        return instrument(*guards)

    def flush(self, timeout: float | timedelta = 5.0) -> bool:
        """Send what has ended, also of sampled traces that have not; whether it was done in time."""
        self._hand_over(False)
        end = SystemClock().now_ns() + to_ns(timeout, "timeout", least_ns=0)
        done = [sink.flush(_left(end)) for sink in self.exporters]  # all of them, whatever the first says
        return all(done)

    def close(self, timeout: float | timedelta = 5.0) -> bool:
        """Flush, and stop the exporters; whether all was sent in time. Done by itself at the end of the process."""
        self._hand_over(True)
        forget_at_exit(self)
        end = SystemClock().now_ns() + to_ns(timeout, "timeout", least_ns=0)
        done = [sink.close(_left(end)) for sink in self.exporters]
        return all(done)

    def stats(self) -> TracerStats:
        """What this tracer has done so far, in this process and those it was forked from."""
        return TracerStats(*self._counts())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<Tracer {self.service!r}: {stats.recorded} spans recorded, {stats.kept} traces kept>"


def _wall(clock: Clock, wall: WallClock | ManualClock | None) -> WallClock | ManualClock:
    if wall is None:
        return clock if isinstance(clock, ManualClock) else WallClock()
    if not isinstance(wall, (WallClock, ManualClock)):
        raise ConfigError(f"wall must be a WallClock or a ManualClock, got {wall!r}")
    return wall


def _left(end_ns: int) -> float:
    return max(0, end_ns - SystemClock().now_ns()) / 1e9
