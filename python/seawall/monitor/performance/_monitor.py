"""The performance monitor: operations, intervals, and events when one gets worse than its baseline."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from seawall.clock import Clock, SystemClock, WallClock
from seawall.measure import LatencyAnalyzer
from seawall.monitor._loops import Loops
from seawall.monitor.performance._baseline import Baseline
from seawall.monitor.performance._interval import Interval
from seawall.monitor.performance._judge import Bounds, Change, judge
from seawall.patterns import Options, Signal, option

OTHER = "other"


class PerformanceOptions(Options):
    """How operations are followed."""

    interval: float | timedelta = option(
        default=10.0, unit="s", least=0.1, most=3600, help="length of an interval; each has percentiles of its own"
    )
    block: int = option(default=6, least=1, most=1000, unit="intervals", help="judged together: a minute, by default")
    keep: int = option(default=360, least=1, most=100_000, unit="intervals", help="of each operation")
    tolerance: float = option(default=0.1, least=0, most=100, help="relative change of a percentile that is let pass")
    error_tolerance: float = option(
        default=0.01, least=0, most=1, help="change of the share of errors that is let pass"
    )
    confidence: float = option(default=0.999, least=0.5, most=0.9999, help="that a change is beyond the tolerance")
    max_operations: int = option(
        default=200, least=1, most=10_000, help="with intervals of their own; others share one"
    )


class Degradation(NamedTuple):
    """A figure of an operation has become worse than its baseline, or is no longer.

    Attributes:
        began: True when it has become worse, False when it no longer is.
        at: When, in unix seconds.
        change: The figure beside its baseline.
    """

    began: bool
    at: float
    change: Change


class _Followed:
    """An operation and its last intervals."""

    __slots__ = ("analyzer", "errors", "intervals")

    def __init__(self, analyzer: LatencyAnalyzer, keep: int) -> None:
        self.analyzer = analyzer
        self.errors = 0
        self.intervals: deque[Interval] = deque(maxlen=keep)

    def cut(self, at: float, seconds: float) -> None:
        """End an interval here."""
        errors = self.analyzer.errors
        self.intervals.append(Interval.of(at, seconds, self.analyzer.window(), errors - self.errors))
        self.errors = errors


class PerformanceMonitor(Loops):
    """Follows operations, interval by interval, and tells when one becomes worse than its baseline.

    Guarantees: every call is counted in one interval. Operations are bounded: those beyond `max_operations` are counted
    together, as "other".
    Thread safety: yes. Cost: that of a `LatencyAnalyzer`, 0.6 us a call and about 400 KiB an operation; when an
    interval ends 10 us an operation, and 0.2 ms where it has a baseline.

    Args:
        interval: Seconds; `evaluate` ends one when it is over, `start` does so in a thread.
        block: Intervals that are judged together.
        keep: Intervals kept of each operation; a baseline can be made of them.
        tolerance: Relative change of a percentile that is let pass.
        error_tolerance: Change of the share of errors that is let pass.
        confidence: That a change is beyond the tolerance.
        max_operations: See above.
        baseline: What to compare with; without one nothing is judged.
        clock: What measures.
        wall: What stamps intervals, in unix seconds.

    Example:
        >>> from seawall import ManualClock
        >>> clock = ManualClock()
        >>> monitor = PerformanceMonitor(interval=10, clock=clock)
        >>> with monitor.operation("charge").measure():
        ...     clock.advance(0.25)
        >>> clock.advance(10)
        >>> monitor.evaluate()
        ()
        >>> monitor.intervals("charge")[-1].p95
        0.25
    """

    def __init__(
        self,
        *,
        interval: float | timedelta = 10.0,
        block: int = 6,
        keep: int = 360,
        tolerance: float = 0.1,
        error_tolerance: float = 0.01,
        confidence: float = 0.999,
        max_operations: int = 200,
        baseline: Baseline | None = None,
        clock: Clock | None = None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self.options = PerformanceOptions(
            interval=interval,
            block=block,
            keep=keep,
            tolerance=tolerance,
            error_tolerance=error_tolerance,
            confidence=confidence,
            max_operations=max_operations,
        )
        self._interval = float(self.options.interval)  # type: ignore[arg-type]  # kept as seconds
        super().__init__("seawall-performance", clock or SystemClock(), self._interval / 4)
        self.baseline = baseline
        self.told: Signal[Degradation] = Signal("performance.told", Degradation)
        self.refused = 0
        self._wall = wall or (lambda: WallClock().now_ns() / 1e9)
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._worse: dict[tuple[str, str], Change] = {}
        self._began_ns = self.clock.now_ns()

    def operation(self, name: str) -> LatencyAnalyzer:
        """The operation of a name: a decorator, and `with monitor.operation(name).measure():`.

        Its `window()` belongs to the monitor.
        """
        found = self._followed.get(name)
        if found is None:
            with self._lock:
                if name not in self._followed and len(self._followed) >= self.options.max_operations:
                    self.refused += 1
                    name = OTHER
                found = self._followed.get(name)
                if found is None:
                    analyzer = LatencyAnalyzer(name, clock=self.clock)
                    found = self._followed[name] = _Followed(analyzer, self.options.keep)
        return found.analyzer

    def evaluate(self) -> tuple[Degradation, ...]:
        """End the interval if it is over, judge, and tell what has become worse, or no longer is."""
        with self._lock:
            now_ns = self.clock.now_ns()
            seconds = (now_ns - self._began_ns) / 1e9
            if seconds < self._interval:
                return ()
            self._began_ns, at = now_ns, self._wall()
            for followed in self._followed.values():
                followed.cut(at, seconds)
            told = self._compare(at)
        for each in told:
            self.told.send(each)
        return told

    def intervals(self, name: str) -> tuple[Interval, ...]:
        """The last intervals of an operation, oldest first; none where it is not known."""
        with self._lock:
            found = self._followed.get(name)
            return tuple(found.intervals) if found is not None else ()

    def changes(self) -> tuple[Change, ...]:
        """Every figure of every operation beside its baseline, now; none without one."""
        with self._lock:
            return tuple(self._judged())

    def worse(self) -> tuple[Change, ...]:
        """The figures that are worse than their baseline, as last told."""
        return tuple(self._worse.values())

    def take_baseline(self) -> Baseline:
        """A baseline of all intervals that are kept. It is not compared with before it is set as `baseline`."""
        with self._lock:
            return Baseline({name: tuple(each.intervals) for name, each in self._followed.items()})

    def _judged(self) -> list[Change]:
        of = self.options
        bounds = Bounds(of.block, of.tolerance, of.error_tolerance, of.confidence)
        known = self.baseline.operations if self.baseline is not None else {}
        return [
            change
            for name, followed in self._followed.items()
            if name in known
            for change in judge(name, known[name], tuple(followed.intervals), bounds)
        ]

    def _compare(self, at: float) -> tuple[Degradation, ...]:
        told = []
        for change in self._judged():
            key = (change.operation, change.figure)
            if change.verdict == "worse":
                if key not in self._worse:
                    told.append(Degradation(True, at, change))
                self._worse[key] = change
            elif key in self._worse and self._is_over(change):
                del self._worse[key]
                told.append(Degradation(False, at, change))
        return tuple(told)

    def _is_over(self, change: Change) -> bool:
        """Whether what was worse no longer is: its change is within the tolerance, however unsure."""
        within = self.options.error_tolerance if change.figure == "error_ratio" else self.options.tolerance
        return change.change is not None and change.change <= within

    def __repr__(self) -> str:
        return f"<PerformanceMonitor of {len(self._followed)} operations, {len(self._worse)} figures worse>"
