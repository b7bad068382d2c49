"""What can be read from recorded latencies: figures, reports and exports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from seawall.measure import _exposition
from seawall.measure._counter import Counter
from seawall.measure._histogram import Histogram
from seawall.measure._latency_report import LEVELS, LatencyReport

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class LatencyFigures:
    """The reading side of a `LatencyAnalyzer`."""

    __slots__ = ("_errors", "_total", "name", "record_errors")

    _errors: Counter
    _total: Histogram
    name: str
    record_errors: bool

    @property
    def count(self) -> int:
        """How many latencies were recorded."""
        return self._total.count

    @property
    def errors(self) -> int:
        """How many calls failed."""
        return self._errors.value

    @property
    def min(self) -> float:
        """The smallest latency; nan while there is none."""
        return self._total.min

    @property
    def max(self) -> float:
        """The largest latency; nan while there is none."""
        return self._total.max

    @property
    def mean(self) -> float:
        """The exact mean; nan while there is none."""
        return self._total.mean

    @property
    def stddev(self) -> float:
        """The standard deviation; nan while there is none."""
        return self._total.stddev

    @property
    def p50(self) -> float:
        """What half of the latencies do not exceed."""
        return self.percentile(50.0)

    @property
    def p75(self) -> float:
        """The 75th percentile."""
        return self.percentile(75.0)

    @property
    def p90(self) -> float:
        """The 90th percentile."""
        return self.percentile(90.0)

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return self.percentile(95.0)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return self.percentile(99.0)

    @property
    def p999(self) -> float:
        """The 99.9th percentile."""
        return self.percentile(99.9)

    def percentile(self, percent: float) -> float:
        """The latency that `percent` (0 to 100) of all do not exceed; nan while there is none."""
        return self._total.percentile(percent)

    def percentiles(self, percents: Iterable[float] = LEVELS) -> dict[float, float]:
        """The latency at each of `percents`, all from one reading."""
        levels = list(percents)
        return dict(zip(levels, self._total.percentiles(levels), strict=True))

    def buckets(
        self, n: int = 10, *, scale: Literal["linear", "log"] = "linear"
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]:
        """`n` buckets to draw: (n + 1,) edges and (n,) counts, see `Histogram.buckets`."""
        return self._total.buckets(n, scale=scale)

    def apdex(self, threshold: float) -> float:
        """How content users are, 0 to 1: up to `threshold` counts whole, up to four times that half, beyond nothing.

        A failed call counts nothing; with `record_errors` it counts by its time, which flatters fast failures.
        A latency above `highest` counts nothing.
        nan while there is none.

        Raises:
            ValueError: `threshold` is not positive and finite.

        Source: Apdex Alliance, Application Performance Index 1.1.
        """
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 < threshold < math.inf:
            raise ValueError(f"threshold must be positive and finite seconds, got {threshold!r}; 0.5 is usual")
        held = self.snapshot()
        all_calls = held.count + (0 if self.record_errors else self.errors)
        satisfied, tolerated = _exposition.counts_up_to(held, (threshold, 4 * threshold))
        return (satisfied + tolerated) / (2 * all_calls) if all_calls else math.nan

    def snapshot(self) -> Histogram:
        """A histogram of its own with all that was recorded so far."""
        return self._merged([self._total])

    def report(self) -> LatencyReport:
        """All figures of this moment; `str()` of it is a table."""
        return LatencyReport.of(self.name, self.snapshot(), self.errors)

    def to_json(self) -> str:
        """The report as a JSON object, times in seconds."""
        return self.report().to_json()

    def to_csv(self) -> str:
        """The report as CSV: a line of names and a line of figures."""
        return self.report().to_csv()

    def to_hlog(self, *, start: float = 0.0, duration: float = 0.0, tag: str | None = None) -> str:
        """All latencies as an HdrHistogram log of one interval, see `Histogram.to_hlog`."""
        return self.snapshot().to_hlog(start=start, duration=duration, tag=tag)

    def to_hgrm(self, *, ticks_per_half_distance: int = 5, unit: float = 1e-3) -> str:
        """The percentile distribution as HdrHistogram prints it, see `Histogram.to_hgrm`."""
        return self.snapshot().to_hgrm(ticks_per_half_distance=ticks_per_half_distance, unit=unit)

    def to_prometheus(
        self,
        bounds: Iterable[float] = _exposition.DEFAULT_BOUNDS,
        *,
        metric: str = "seawall_latency_seconds",
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """The latencies as a Prometheus histogram in text form, with one bucket more for +Inf.

        A bucket of ours that holds a bound counts whole, so a bound is off by at most the larger of `lowest` and
        1/10**digits of it. Values above `highest` are in +Inf only.

        Args:
            bounds: Upper bounds in seconds, rising.
            metric: The metric's name.
            labels: Labels; by default `name` with the analyzer's name.

        Raises:
            ValueError: bounds do not rise, or a name is none that Prometheus takes.
        """
        return _exposition.to_prometheus(
            self.snapshot(), metric, bounds, {"name": self.name} if labels is None else labels
        )

    def to_otlp(self, *, max_buckets: int = 160) -> dict[str, Any]:
        """The latencies as the data point of an OTLP exponential histogram, at the finest scale that fits.

        Each bucket of ours goes where its middle belongs, so a value moves by at most half of it: by the larger of
        `lowest` and 1/10**digits of it, halved. Values below `zero_threshold` are in `zero_count`.

        Raises:
            ValueError: `max_buckets` is below 2.
        """
        return _exposition.to_otlp(self.snapshot(), max_buckets)

    def _empty(self) -> Histogram:
        return Histogram._of_layout(self._total._layout()[:3])

    def _merged(self, parts: Iterable[Histogram]) -> Histogram:
        made = self._empty()
        for part in parts:
            made.merge(part)
        return made
