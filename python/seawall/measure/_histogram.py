"""The public histogram: the kernel, with its arrays, text formats and copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from seawall._core import bulk
from seawall._core import histogram as _kernel
from seawall._core.descriptors import own_methods
from seawall.errors import ConfigError
from seawall.measure import _hgrm, _hlog
from seawall.measure._layout import checked_layout
from seawall.memory import Segment

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NS = 1e9


@own_methods
class Histogram(_kernel.Histogram):
    """Counts values into buckets as HdrHistogram does, and answers percentiles, while many threads record.

    Guarantees: no record is lost. A percentile is off by at most 1/10**digits of itself; `min`, `max` and `mean` are
    exact to the nanosecond. A value above `highest` counts as `highest`, and in `clipped`.
    Units: seconds by convention. Any non-negative quantity will do: values are kept as whole billionths of a unit.
    Thread safety: any thread, also during `swap`. Cost: about 18 ns a record; 2 us a percentile, 6 us when
    values spread over all decades; 192 KiB by default.
    Empty: `count` and `sum` are 0; `min`, `max`, `mean`, `stddev` and percentiles are nan.

    Args:
        lowest: Values below it share one bucket width; 1e-9 to half of `highest`.
        highest: Values above it are clipped; up to 4.6e9.
        digits: Significant decimal digits that a bucket keeps, 1 to 5. Each digit costs ten times the memory.
        shared: A segment, or its name: every process that names it records into one histogram.
        name: The slot in the segment.
        on_conflict: When the slot exists with another layout: "error", or "adopt" it.

    Raises:
        ConfigError: an option is out of range, or the slot has another layout.
        SegmentError: the slot holds something else, or the segment has no room.

    Source: HdrHistogram (Gil Tene), hdrhistogram.org.

    Example:
        >>> latency = Histogram()
        >>> latency.record_many([0.010, 0.020, 0.030, 2.0])
        >>> latency.percentile(50)
        0.020004863
        >>> latency.max
        2.0
    """

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]  # contents change, so there is nothing to hash
    __hash__ = None

    def __new__(
        cls,
        lowest: float = 1e-6,
        highest: float = 3600.0,
        digits: int = 3,
        *,
        shared: Segment | str | None = None,
        name: str = "histogram",
        on_conflict: Literal["error", "adopt"] = "error",
    ) -> Self:
        layout = checked_layout(lowest, highest, digits)
        if on_conflict not in ("error", "adopt"):
            raise ConfigError(f"on_conflict must be 'error' or 'adopt', got {on_conflict!r}")
        made: Self = _kernel.Histogram.__new__(cls, *layout, Segment.of(shared), name, on_conflict == "adopt")
        return made

    @classmethod
    def _of_layout(cls, layout: tuple[int, int, int]) -> Self:
        made: Self = _kernel.Histogram.__new__(cls, *layout)
        return made

    @property
    def lowest(self) -> float:
        """The option `lowest`."""
        return float(self._layout()[0] / _NS)

    @property
    def highest(self) -> float:
        """The option `highest`."""
        return float(self._layout()[1] / _NS)

    @property
    def digits(self) -> int:
        """The option `digits`."""
        return int(self._layout()[2])

    def record_many(self, values: npt.ArrayLike) -> None:
        """Record all values, or none of them where one cannot be recorded.

        Shapes: values: (n,) of float64; other real numbers are converted first.
        Cost: 1.6 ns a value for large float64 arrays. From 8192 values on, other threads run meanwhile.

        Raises:
            ValueError: a value is negative or not finite (the message names the first), or the array is not flat.
            TypeError: the values are no real numbers.
        """
        import numpy as np

        array = np.asarray(values)
        if array.ndim != 1:
            raise ValueError(f"values must have one dimension, got shape {array.shape}; values.ravel() has one")
        if array.size and array.dtype.kind not in "fiu":
            raise TypeError(f"values must be real numbers, got an array of {array.dtype}; durations are floats")
        array = np.ascontiguousarray(array, dtype=np.float64)
        bad = bulk.record_many(self._capsule(), array)
        if bad >= 0:
            raise ValueError(
                f"values must be finite and not negative, got {array[bad]} at index {bad}; nothing was recorded"
            )

    def merge(self, other: Histogram) -> None:
        """Add everything `other` holds. Where the layouts differ, each bucket of `other` counts as its smallest value.

        Raises:
            ValueError: `other` holds a value above this one's `highest`; nothing was added.
        """
        if not isinstance(other, Histogram):
            raise TypeError(f"other must be a Histogram, got {other!r}; record_many takes plain values")
        if other.max > self.highest:
            raise ValueError(
                f"cannot merge a largest value of {other.max} into a histogram with highest={self.highest}; "
                f"make it with highest={other.highest}"
            )
        self._merge(other)

    def swap(self) -> Self:
        """Take out everything recorded since the last swap: a new histogram has it, and this one is empty.

        Guarantees: each record is counted in exactly one interval, also while other threads record. Of a record in
        flight, `sum`, `min` and `max` may go to the next interval; the bounds of its bucket then stand in for
        the extremes.
        A process killed in the midst of a swap loses what it had taken; the histogram stays sound.
        """
        taken = self._of_layout(self._layout()[:3])
        self._swap_into(taken)
        return taken

    def counts(self, *, live: bool = False) -> npt.NDArray[np.uint64]:
        """The count of every bucket: (n,) uint64. A copy, or with `live` a read-only view that goes on changing."""
        array: npt.NDArray[np.uint64] = (bulk.live_counts if live else bulk.counts)(self._capsule())
        return array

    def edges(self) -> npt.NDArray[np.float64]:
        """Where every bucket begins, and where the last one ends: (n + 1,) float64."""
        lows: npt.NDArray[np.uint64] = bulk.lows(self._capsule())
        return lows / _NS

    def buckets(
        self, n: int = 10, *, scale: Literal["linear", "log"] = "linear"
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]:
        """`n` buckets of equal width (or ratio) from the smallest to the largest value, for drawing.

        Shapes: (n + 1,) float64 edges and (n,) uint64 counts; together the counts are `count`.

        Raises:
            ValueError: `n` is below 1, or `scale` is neither "linear" nor "log".
        """
        import numpy as np

        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n must be a whole number from 1, got {n!r}; 10 to 50 draw well")
        if scale not in ("linear", "log"):
            raise ValueError(f"scale must be 'linear' or 'log', got {scale!r}")
        low, high = (self.min, self.max) if self.min <= self.max else (self.lowest, self.highest)
        low = max(low, self.lowest) if scale == "log" else low
        high = max(high, low + self.lowest)
        edges = (np.geomspace if scale == "log" else np.linspace)(low, high, n + 1)
        counts, lows = self.counts(), self.edges()
        used = counts.nonzero()[0]
        middles = (lows[used] + lows[used + 1]) / 2
        places = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, n - 1)
        drawn = np.zeros(n, dtype=np.uint64)
        np.add.at(drawn, places, counts[used])
        return edges, drawn

    def to_hlog(self, *, start: float = 0.0, duration: float = 0.0, tag: str | None = None) -> str:
        """The contents as an HdrHistogram log of one interval, in nanoseconds; `write_hlog` writes several."""
        return _hlog.write_hlog([_hlog.HlogInterval(start, duration, tag, self)])

    @classmethod
    def from_hlog(cls, text: str) -> Self:
        """All intervals of an HdrHistogram log together, in the layout of the first; `read_hlog` keeps them apart.

        A log has no exact sums and extremes: they come from the middles and bounds of its buckets.

        Raises:
            ValueError: the text is no such log, or holds no interval.
        """
        intervals = _hlog.read_hlog(text)
        if not intervals:
            raise ValueError("the log holds no interval; a log line is: start,length,max,HISTFAAAA...")
        merged = cls._of_layout(intervals[0].histogram._layout()[:3])
        for interval in intervals:
            merged.merge(interval.histogram)
        return merged

    def to_hgrm(self, *, ticks_per_half_distance: int = 5, unit: float = 1e-3) -> str:
        """The percentile distribution as the text that HdrHistogram prints and its plotter reads.

        Args:
            ticks_per_half_distance: Lines until the distance to 100 % has halved.
            unit: What one printed unit is, by default a millisecond.
        """
        return _hgrm.write_hgrm(self, ticks_per_half_distance, unit)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same layout and the same count in every bucket."""
        if not isinstance(other, Histogram):
            return NotImplemented
        return self._layout() == other._layout() and bool((self.counts() == other.counts()).all())

    def __reduce__(self) -> tuple[Callable[..., Histogram], tuple[Any, ...]]:
        """A pickle or copy holds the contents; a shared histogram becomes a private one."""
        return _rebuild, (type(self), self._layout()[:3], bulk.encode(self._capsule()), self._summary())

    def __repr__(self) -> str:
        kind, options = type(self).__name__, f"lowest={self.lowest}, highest={self.highest}, digits={self.digits}"
        if self.count == 0:
            return f"{kind}({options}, count=0)"
        clipped = f", clipped={self.clipped}" if self.clipped else ""
        p50, p99 = self.percentiles([50, 99])
        return f"{kind}({options}, count={self.count}, p50={p50}, p99={p99}, max={self.max}{clipped})"


def _rebuild(
    cls: type[Histogram], layout: tuple[int, int, int], counts: bytes, summary: tuple[int, int | None, int | None, int]
) -> Histogram:
    made = cls._of_layout(layout)
    bulk.decode(made._capsule(), counts)
    made._add_summary(*summary)
    return made
