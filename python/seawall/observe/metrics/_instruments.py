"""Objects that keep statistics of their own, read when somebody looks: what they do costs nothing more."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from seawall._core.breaker import STATES as BREAKER_STATES
from seawall.errors import ConfigError
from seawall.observe.metrics._copies import copier_of
from seawall.observe.metrics._series import Counter, Gauge
from seawall.observe.metrics._told import LABELS, STATES, TOLD, Told

if TYPE_CHECKING:
    from seawall.observe.metrics._metrics import Metrics

_Levels = dict[Gauge, float]
_FAILED = "How often an object that is asked for its statistics raised."


class _Bound(NamedTuple):
    """The series that an object's statistics go to."""

    counts: list[Counter]
    levels: list[Gauge]
    states: dict[str, Gauge]


class _Instrument:
    """One object, and what of its counts is in the metrics already."""

    __slots__ = ("bound", "one", "pipeline", "seen")

    def __init__(self, one: Any, pipeline: str, hold: bool) -> None:
        self.one: Callable[[], Any] = (lambda: one) if hold else weakref.ref(one)
        self.pipeline = pipeline
        self.seen: dict[str, int] = {}
        self.bound: _Bound | None = None

    def silence(self, but: _Levels) -> None:
        """The object is gone, and says nothing where no other of its name does; its counts stay."""
        if self.bound is not None:
            for gauge in (*self.bound.levels, *self.bound.states.values()):
                if gauge not in but:
                    gauge._unset()


class Instruments:
    """The objects whose statistics these metrics publish.

    Guarantees: a count is published once, also when processes fork and when several objects have one name.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: dict[int, _Instrument] = {}
        self._copiers: dict[str, tuple[Any, Callable[[], None]]] = {}
        self._lock = threading.RLock()  # reentrant: collecting garbage may make and drop objects in the midst
        self._all: Any = None

    def add(self, one: Any, pipeline: str = "", *, hold: bool = True) -> None:
        """Publish one object, or all that a pipeline or a joint limit is made of."""
        parts = _parts_of(one)
        if parts is not None:
            for part in parts:
                self.add(part, pipeline or (one.name if hasattr(one, "policies") else ""), hold=hold)
            return
        if not _tells(one):
            raise ConfigError(f"{one!r} has no statistics to publish; give counters and histograms a name: name=object")
        with self._lock:
            known = self._known.get(id(one))
            if known is None or known.one() is not one:
                self._known[id(one)] = _Instrument(one, pipeline, hold)
            else:
                if pipeline and not known.pipeline:
                    known.pipeline, known.bound = pipeline, None
                if hold:
                    known.one = lambda: one

    def add_named(self, name: str, one: Any) -> None:
        """Publish a counter, gauge or histogram of `seawall.measure` by a name."""
        with self._lock:
            self._copiers[name] = (one, copier_of(self._metrics, name, one))

    def add_all(self) -> None:
        """Publish every guard that there is, and those that will be made."""
        from seawall.guard import Policy, made
        from seawall.guard.pipeline import Pipeline

        with self._lock:
            if self._all is not None:
                return
            self._all = made.connect(self._meet, weak=True)
        self._meet_all(one for one in gc.get_objects() if issubclass(type(one), (Policy, Pipeline)) or _is_budget(one))

    def _meet_all(self, objects: Iterable[Any]) -> None:
        for one in list(objects):
            self._meet(one)

    def _meet(self, one: Any) -> None:
        if _tells(one) or _parts_of(one) is not None:
            self.add(one, hold=False)

    def publish(self) -> None:
        """Bring what was counted since the last time into the metrics."""
        with self._lock:
            levels: _Levels = {}
            gone: list[_Instrument] = []
            for key, instrument in list(self._known.items()):
                one = instrument.one()
                if one is None:
                    gone.append(self._known.pop(key))
                    continue
                self._safely(lambda one=one, its=instrument: self._tell(one, its, levels))  # type: ignore[misc]
            for gauge, value in levels.items():
                gauge.set(value)
            for instrument in gone:
                instrument.silence(levels)
            for _, copy in self._copiers.values():
                self._safely(copy)

    def _safely(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001 - one object must not take the others down with it
            self._metrics.counter("seawall_metrics_failed", _FAILED, ("metric",)).labels("instrument").inc()

    def _tell(self, one: Any, instrument: _Instrument, levels: _Levels) -> None:
        stats, told = _stats_of(one)
        if instrument.bound is None:
            instrument.bound = self._bind(one, instrument.pipeline, told)
        shared = _segment_of(one) is not None
        for count, series in zip(told.counts, instrument.bound.counts, strict=True):
            now = int(getattr(stats, count.field))
            if shared and count.of_all:
                series._raise_to(now)
            else:
                series.inc(max(0, now - instrument.seen.get(count.field, 0)))
                instrument.seen[count.field] = now
        for level, gauge in zip(told.levels, instrument.bound.levels, strict=True):
            across = max if shared or level.across == "max" else min if level.across == "min" else _sum
            _gather(levels, gauge, float(getattr(stats, level.field)), across)
        for state, gauge in instrument.bound.states.items():
            _gather(levels, gauge, float(state == stats.state), max)

    def _bind(self, one: Any, pipeline: str, told: Told) -> _Bound:
        metrics, labels = self._metrics, (one.name, pipeline)
        counts = [metrics.counter(f"{told.prefix}_{c.field}", c.help, LABELS).labels(*labels) for c in told.counts]
        levels = [
            metrics.gauge(f"{told.prefix}_{level.field}", level.help, LABELS, across=level.across).labels(*labels)
            for level in told.levels
        ]
        states = {}
        if told.prefix == "seawall_breaker":
            gauge = metrics.gauge(*STATES, across="max")
            states = {state: gauge.labels(*labels, state) for state in BREAKER_STATES}
        return _Bound(counts, levels, states)

    def forked(self) -> None:
        """In a child: what the parent had counted is the parent's to publish."""
        self._lock = threading.RLock()
        for instrument in self._known.values():
            one = instrument.one()
            if one is None:
                continue
            try:
                stats, told = _stats_of(one)
                instrument.seen = {count.field: int(getattr(stats, count.field)) for count in told.counts}
            except Exception:  # noqa: BLE001 - it says nothing now, so there is nothing to leave to the parent
                continue
        for name, (one, _) in list(self._copiers.items()):
            self._copiers[name] = (one, copier_of(self._metrics, name, one, from_now=True))


def _gather(levels: _Levels, series: Gauge, value: float, across: Callable[[float, float], float]) -> None:
    levels[series] = across(levels[series], value) if series in levels else value


def _sum(one: float, other: float) -> float:
    return one + other


def _parts_of(one: Any) -> tuple[Any, ...] | None:
    parts = getattr(one, "policies", None) or getattr(one, "limits", None)
    return parts if isinstance(parts, tuple) else None


def _is_budget(one: Any) -> bool:
    return type(one).__module__ == "seawall.guard.retry._budget" and type(one).__name__ == "RetryBudget"


def _tells(one: Any) -> bool:
    if _is_meter(one):
        return True
    stats = getattr(type(one), "stats", None)
    return stats is not None and type(one).__module__.startswith("seawall.guard") and hasattr(one, "name")


def _is_meter(one: Any) -> bool:
    return type(one).__module__ == "seawall.measure._throughput" and type(one).__name__ == "ThroughputMeter"


def _stats_of(one: Any) -> tuple[Any, Told]:
    if _is_meter(one):
        return one, TOLD["Meter"]
    stats = one.stats()
    told = TOLD.get(type(stats).__name__)
    return stats, Told("", ()) if told is None else told


def _segment_of(one: Any) -> Any:
    return getattr(one, "segment", None)
