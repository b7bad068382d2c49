"""What a histogram held at one moment, as a value."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seawall.measure import Histogram

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Layout = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The buckets of a histogram that hold anything.

    Units: those of the histogram, seconds by convention.
    Thread safety: immutable.

    Args:
        layout: Lowest and highest value in billionths of a unit, and digits; as the histogram was made with.
        places: Which buckets, rising. (k,) int64
        counts: What is in them. (k,) uint64
        sum: Of all values.

    Raises:
        ValueError: two distributions of different layouts are to be put together.

    Example:
        >>> latency = Histogram()
        >>> latency.record_many([0.010, 0.020, 0.030])
        >>> before = Distribution.of(latency)
        >>> latency.record(2.0)
        >>> (Distribution.of(latency) - before).quantile(0.5)
        2.000683007
    """

    layout: Layout
    places: npt.NDArray[np.int64]
    counts: npt.NDArray[np.uint64]
    sum: float

    @classmethod
    def of(cls, histogram: Histogram) -> Distribution:
        """What a histogram holds now."""
        counts = histogram.counts()
        places = counts.nonzero()[0]
        return cls(histogram._layout()[:3], places, counts[places], histogram.sum)

    @property
    def count(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Their mean; nan when there are none."""
        return self.sum / self.count if self.count else math.nan

    def quantile(self, q: float) -> float:
        """The largest value of the bucket where a share `q` of the values is reached; nan when there are none.

        Args:
            q: 0 to 1; 0.99 is the 99th percentile.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"q must be a share from 0 to 1, got {q!r}; 0.99 is the 99th percentile")
        if not self.count:
            return math.nan
        totals = self.counts.cumsum()
        rank = max(1, math.ceil(q * int(totals[-1])))
        place = int(self.places[int(totals.searchsorted(rank))])
        return float(edges_of(self.layout)[place + 1]) - 1e-9

    def share_below(self, value: float) -> float:
        """The share of values that do not exceed `value`; the bucket that holds it counts whole. nan without values."""
        if not self.count:
            return math.nan
        return self.count_below(value) / self.count

    def count_below(self, value: float) -> int:
        """How many values do not exceed `value`; the bucket that holds it counts whole."""
        reached = int(edges_of(self.layout).searchsorted(value, side="right"))
        return int(self.counts[: int(self.places.searchsorted(reached))].sum())

    def whole(self) -> Distribution:
        """The same, all of it at hand: one from a recording is unpacked once, not for each question."""
        return self

    def __add__(self, other: Distribution) -> Distribution:
        """Both together."""
        import numpy as np

        other = other.whole()

        self._must_fit(other)
        places, where = np.unique(np.concatenate([self.places, other.places]), return_inverse=True)
        counts = np.zeros(len(places), dtype=np.uint64)
        np.add.at(counts, where, np.concatenate([self.counts, other.counts]))
        return Distribution(self.layout, places, counts, self.sum + other.sum)

    def __sub__(self, before: Distribution) -> Distribution:
        """What has come since `before`; all of this one where that cannot be, because the histogram began anew."""
        import numpy as np

        self._must_fit(before)
        before = before.whole()
        at = self.places.searchsorted(before.places)
        if len(before.places) and (
            at[-1] >= len(self.places)
            or (self.places[at] != before.places).any()
            or (self.counts[at] < before.counts).any()
        ):
            return self
        left = self.counts.copy()
        left[at] -= before.counts
        kept = left.nonzero()[0]
        return Distribution(self.layout, self.places[kept], np.ascontiguousarray(left[kept]), self.sum - before.sum)

    def _must_fit(self, other: Distribution) -> None:
        if self.layout != other.layout:
            raise ValueError(f"histograms of layouts {self.layout} and {other.layout} have different buckets")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distribution):
            return NotImplemented
        return (
            self.layout == other.layout
            and self.places.tolist() == other.places.tolist()
            and self.counts.tolist() == other.counts.tolist()
            and self.sum == other.sum
        )

    def __hash__(self) -> int:
        return hash((self.layout, self.sum, self.count))

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "layout": list(self.layout),
            "places": self.places.tolist(),
            "counts": self.counts.tolist(),
            "sum": self.sum,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Distribution:
        """What `to_dict` wrote."""
        import numpy as np

        layout = tuple(data["layout"])
        places = np.asarray(data["places"], dtype=np.int64)
        return cls(layout, places, np.asarray(data["counts"], dtype=np.uint64), float(data["sum"]))

    def __repr__(self) -> str:
        if not self.count:
            return "<Distribution of 0 values>"
        return f"<Distribution of {self.count} values, p50 {self.quantile(0.5):g}, p99 {self.quantile(0.99):g}>"


@functools.lru_cache(maxsize=64)
def edges_of(layout: Layout) -> npt.NDArray[np.float64]:
    """Where every bucket of a layout begins, and where the last one ends: (n + 1,) float64."""
    return Histogram._of_layout(layout).edges()
