"""The registry of metrics."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar, overload

from seawall._core import metrics as _kernel
from seawall.clock import Clock, ManualClock, SystemClock, WallClock
from seawall.errors import ConfigError, SegmentError
from seawall.memory import Segment
from seawall.observe._snapshot import Snapshot
from seawall.observe.metrics import _definition, _names
from seawall.observe.metrics._callbacks import Callbacks, Observed
from seawall.observe.metrics._definition import Across, Definition
from seawall.observe.metrics._flusher import Flusher, adopt
from seawall.observe.metrics._instruments import Instruments
from seawall.observe.metrics._reading import snapshot_of
from seawall.observe.metrics._series import Counter, Gauge, Histogram, Labelled

_S = TypeVar("_S", Counter, Gauge, Histogram)

PRIVATE_BYTES = 64 * 1024 * 1024
_LEAST_BYTES, _MOST_BYTES = 64 * 1024, 1 << 36


class Metrics:
    """Counters, gauges and histograms with labels, of one process or of all workers of a machine.

    With `shared`, every process that names the segment counts in one bounded file, and each of them can say what all
    have counted. What a worker has counted stays when it ends or is killed; its gauges vanish with it. A forked child
    goes on as a worker of its own. All workers must see each other's process ids.

    Guarantees: no count is lost or torn; memory is bounded. Series beyond `max_series` or beyond the memory are counted
    in the overflow series of their family, and `seawall_metrics_dropped` says how often.
    Thread safety: any thread and process. Cost: about 15 ns a count; 10,000 series are written in some milliseconds,
    without the GIL.

    Args:
        shared: A segment, or its name. None for metrics of this process alone; a forked child then has its own copy.
        name: The slot in the segment.
        prefix: What stands before every name, but those of our own metrics, `seawall_...`.
        labels: Constant labels that every series has when this process renders it, such as a version.
        max_series: Of a family, unless it says otherwise; 1 to 1,000,000.
        memory: Bytes for series; by default 64 MiB, of which only what is used is taken, or half of what the segment
            has left. A counter takes about 0.25 KiB, a gauge 0.65 KiB shared by 64 workers, a histogram 27 KiB.
        workers: How many processes at a time have gauges of their own; what more of them set is one together.
        clock: What measures durations.

    Raises:
        ConfigError: an option is out of range.
        SegmentError: the slot holds something else, or the segment has no room.

    Example:
        >>> metrics = Metrics()
        >>> requests = metrics.counter("http_requests_total", "Requests answered.", labels=("method", "code"))
        >>> requests.labels("GET", "200").inc()
        >>> metrics.snapshot().family("http_requests").samples[0].labels
        (('code', '200'), ('method', 'GET'))
    """

    def __init__(
        self,
        shared: Segment | str | None = None,
        *,
        name: str = "metrics",
        prefix: str = "",
        labels: Mapping[str, str] | None = None,
        max_series: int = 1_000,
        memory: int | None = None,
        workers: int = 64,
        clock: Clock | None = None,
    ) -> None:
        self.segment = Segment.of(shared)
        self.name = name
        self.prefix = _names.checked_prefix(prefix)
        self.max_series = _definition.checked_max_series(max_series)
        self.clock = SystemClock() if clock is None else _checked_clock(clock)
        self.constant = _checked_constant(labels or {})
        wall = self.clock if isinstance(self.clock, ManualClock) else WallClock()
        self._table = _kernel.Table(
            self.segment, name, _memory(memory, self.segment), _checked_workers(workers), self.clock, wall
        )
        self._wall_ahead_ns = 0 if wall is self.clock else wall.now_ns() - self.clock.now_ns()
        self._lock = threading.Lock()
        self._families: dict[str, Any] = {}
        self._callbacks = Callbacks(self)
        self._instruments = Instruments(self)
        adopt(self)

    @overload
    def counter(
        self, name: str, help: str = "", *, unit: str | None = None, max_series: int | None = None
    ) -> Counter: ...
    @overload
    def counter(
        self, name: str, help: str, labels: Sequence[str], *, unit: str | None = None, max_series: int | None = None
    ) -> Labelled[Counter]: ...
    @overload
    def counter(
        self,
        name: str,
        help: str = "",
        *,
        labels: Sequence[str],
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Labelled[Counter]: ...
    def counter(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Counter | Labelled[Counter]:
        """The counter of this name, made where there is none: the series itself without labels, else the family.

        Args:
            name: With or without `_total`, which formats add.
            help: One line for people.
            labels: Names of labels.
            unit: What the name ends with; by default seconds, bytes or ratio where it ends so.
            max_series: How many combinations of label values are kept apart.

        Raises:
            ConfigError: an option is out of range, or the name is taken by something else.
            SegmentError: there is no memory for it.
        """
        return self._family(Counter, *self._drafted("counter", name, help, labels, unit, max_series))

    @overload
    def gauge(
        self,
        name: str,
        help: str = "",
        *,
        across: Across = "sum",
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Gauge: ...
    @overload
    def gauge(
        self,
        name: str,
        help: str,
        labels: Sequence[str],
        *,
        across: Across = "sum",
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Labelled[Gauge]: ...
    @overload
    def gauge(
        self,
        name: str,
        help: str = "",
        *,
        labels: Sequence[str],
        across: Across = "sum",
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Labelled[Gauge]: ...
    def gauge(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        across: Across = "sum",
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Gauge | Labelled[Gauge]:
        """The gauge of this name, made where there is none.

        Args:
            name: What it is called.
            help: One line for people.
            labels: Names of labels.
            across: What is said of several workers: the "sum" of their values, the "min", the "max", or the "last" set.
            unit: As in `counter`.
            max_series: As in `counter`.

        Raises:
            ConfigError: an option is out of range, or the name is taken by something else.
            SegmentError: there is no memory for it.
        """
        full, draft = self._drafted("gauge", name, help, labels, unit, max_series)
        return self._family(Gauge, full, draft._replace(across=_definition.checked_across(across)))

    @overload
    def histogram(
        self,
        name: str,
        help: str = "",
        *,
        lowest: float = 1e-6,
        highest: float = 3600.0,
        digits: int = 2,
        bounds: Sequence[float] | None = None,
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Histogram: ...
    @overload
    def histogram(
        self,
        name: str,
        help: str,
        labels: Sequence[str],
        *,
        lowest: float = 1e-6,
        highest: float = 3600.0,
        digits: int = 2,
        bounds: Sequence[float] | None = None,
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Labelled[Histogram]: ...
    @overload
    def histogram(
        self,
        name: str,
        help: str = "",
        *,
        labels: Sequence[str],
        lowest: float = 1e-6,
        highest: float = 3600.0,
        digits: int = 2,
        bounds: Sequence[float] | None = None,
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Labelled[Histogram]: ...
    def histogram(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        lowest: float = 1e-6,
        highest: float = 3600.0,
        digits: int = 2,
        bounds: Sequence[float] | None = None,
        unit: str | None = None,
        max_series: int | None = None,
    ) -> Histogram | Labelled[Histogram]:
        """The histogram of this name, made where there is none.

        Args:
            name: What it is called; `_seconds`, `_bytes` or `_ratio` at its end is its unit.
            help: One line for people.
            labels: Names of labels.
            lowest: Values below it share one bucket width; 1e-9 to half of `highest`.
            highest: Values above it count as it; up to 4.6e9.
            digits: That a bucket keeps, 1 to 5: 27 KiB a series with 2, ten times that with 3.
            bounds: Of the classic buckets in texts for Prometheus; by default 0.005 to 10, for bytes 256 to 1 GiB.
            unit: As in `counter`.
            max_series: As in `counter`.

        Raises:
            ConfigError: an option is out of range, or the name is taken by something else.
            SegmentError: there is no memory for it.
        """
        full, draft = self._drafted("histogram", name, help, labels, unit, max_series)
        layout, limits = _definition.checked_histogram(lowest, highest, digits, bounds, draft.unit)
        return self._family(Histogram, full, draft._replace(layout=layout, bounds=limits))

    def observe_gauge(
        self, name: str, fn: Observed, help: str = "", labels: Sequence[str] = (), *, across: Across = "sum"
    ) -> None:
        """A gauge that `fn` is asked for whenever this process flushes, takes a snapshot or renders.

        Args:
            name: What it is called.
            fn: Answers a number, None where there is none, or with labels a mapping from their values to numbers.
                Where it raises, the value is left out, and `seawall_metrics_failed` counts it.
            help: One line for people.
            labels: Names of labels.
            across: As in `gauge`.
        """
        self._callbacks.add(name, fn, self.gauge(name, help, tuple(labels), across=across))

    def flush(self) -> None:
        """Brings what others count into the metrics: callbacks, and the objects that are instrumented."""
        self._instruments.publish()
        self._callbacks.run()

    def instrument(self, *objects: Any, **named: Any) -> None:
        """Publish what these objects count, whenever this process flushes: they themselves do nothing more.

        Args:
            objects: Limits, breakers, retries, budgets, timeouts, bulkheads, fallbacks, pipelines and throughput
                meters; their metrics have the labels `name` and `pipeline`.
            named: Counters, gauges and histograms of `seawall.measure`, by the name of their metric. What a `swap`
                takes out of a histogram before it was published is not.

        Raises:
            ConfigError: one of them tells nothing, or its name is taken.
        """
        for one in objects:
            self._instruments.add(one)
        for name, one in named.items():
            self._instruments.add_named(name, one)

    def instrument_all(self) -> None:
        """Publish every guard of this process: those that live, and those made from now on, as long as they live.

        Cost: looks once through all objects of the interpreter.
        """
        self._instruments.add_all()

    def flush_every(self, seconds: float | timedelta) -> Flusher:
        """A thread that flushes, also in children forked later, so that others see what this process counts.

        Returns:
            What ends it: `close()`, or `with`. It flushes a last time then, and when the interpreter exits.
        """
        return Flusher(self, seconds)

    def snapshot(self) -> Snapshot:
        """Everything at this moment, from any process of the segment.

        Cost: about 3 us a series.
        """
        self.flush()
        at = (self.clock.now_ns() + self._wall_ahead_ns) / 1e9
        return snapshot_of(self._table, at, self.constant)

    def to_prometheus(self) -> bytes:
        """Everything as Prometheus text, format 0.0.4: `text/plain; version=0.0.4; charset=utf-8`.

        Cost: about 0.3 us a counter or gauge, 3 us a histogram, without the GIL.
        """
        self.flush()
        return self._table.text(False, False, self.constant)

    def to_openmetrics(self, *, created: bool = False) -> bytes:
        """Everything as OpenMetrics text: `application/openmetrics-text; version=1.0.0; charset=utf-8`.

        With the exemplars of counters and histograms, and with `created` the times at which their series began.
        """
        self.flush()
        return self._table.text(True, created, self.constant)

    def describe(self) -> dict[str, int]:
        """Bytes used and at hand, places of workers and living ones, and what was dropped for want of room."""
        table = self._table
        return {
            "used": table.used, "size": table.size, "workers": table.workers, "living": table.living_workers(),
            "dropped": table.dropped,
        }  # fmt: skip

    def _forked(self) -> None:
        self._lock = threading.Lock()
        self._callbacks.forked()
        self._instruments.forked()

    def _drafted(  # noqa: PLR0917 - what counter, gauge and histogram hand on
        self,
        kind: _names.Kind,
        name: str,
        text: str,
        labels: Sequence[str],
        unit: str | None,
        max_series: int | None,
    ) -> tuple[str, Definition]:
        full = _names.checked_name(kind, name, self.prefix)
        names = _names.checked_labels(labels)
        for both in sorted(self.constant.keys() & set(names)):
            raise ConfigError(f"{full} must not have the label {both!r}, which is a constant label of these metrics")
        most = self.max_series if max_series is None else _definition.checked_max_series(max_series)
        unit = _names.unit_of(full, unit)
        return full, Definition(kind, "sum", unit, _definition.checked_help(text), names, max_series=most)

    def _family(self, series: type[_S], name: str, wanted: Definition) -> _S | Labelled[_S]:
        with self._lock:
            self._define(name, wanted)
            made: _S | Labelled[_S] | None = self._families.get(name)
            if made is None:
                family = Labelled[_S](self._table, name, series)
                made = self._families[name] = family if wanted.labels else family.labels()
            return made

    def _define(self, name: str, wanted: Definition) -> None:
        told = self._table.definition(name)
        if told is None:
            others = [(other, _definition.KINDS[kind - 1]) for other, kind in self._table.names()]
            taken = _names.clash(name, wanted.kind, others)
            if taken is not None:
                raise ConfigError(f"{wanted.kind} {name} would share names with {taken} in texts; choose another name")
            if not self._table.define(name, *wanted.told()):
                raise SegmentError(
                    f"there is no memory for the {wanted.kind} {name}: {self._table.used} of {self._table.size} bytes "
                    "are used; make the metrics with more memory"
                )
            told = self._table.definition(name)
        difference = Definition.of(told).difference(wanted)
        if difference is not None:
            raise ConfigError(f"metric {name} {difference}; ask for the same or choose another name")

    def __repr__(self) -> str:
        where = "private" if self.segment is None else f"in {self.segment.name!r}"
        return f"<Metrics {where}, {len(self._table.names())} families, {self._table.used} of {self._table.size} bytes>"


def _checked_clock(clock: Clock) -> Clock:
    if not isinstance(clock, Clock):
        raise ConfigError(f"clock must be a seawall Clock (SystemClock or ManualClock), got {clock!r}")
    return clock


def _checked_constant(labels: Mapping[str, str]) -> dict[str, str]:
    return {_names.checked_label(name): str(labels[name]) for name in sorted(labels)}


def _checked_workers(workers: int) -> int:
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 4096:
        raise ConfigError(f"workers must be 1 to 4,096 processes, got {workers!r}; 64 is the default")
    return workers


def _memory(memory: int | None, segment: Segment | None) -> int:
    if memory is None:
        return PRIVATE_BYTES if segment is None else max(_LEAST_BYTES, (segment.size - segment.used) // 2 // 128 * 128)
    if isinstance(memory, bool) or not isinstance(memory, int) or not _LEAST_BYTES <= memory <= _MOST_BYTES:
        raise ConfigError(f"memory must be {_LEAST_BYTES:,} to {_MOST_BYTES:,} bytes, got {memory!r}")
    return memory
