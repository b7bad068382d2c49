"""Snapshots as a recording keeps them: names and labels once, and of each moment only its values."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Family, Labels, Sample, Selector, Snapshot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MOST_REMEMBERED = 1_000


class Series:
    """The labels of a family's series, one object for all moments that have the same."""

    __slots__ = ("_chosen", "labels")

    def __init__(self, labels: tuple[Labels, ...]) -> None:
        self.labels = labels
        self._chosen: dict[Selector, tuple[int, ...]] = {}

    def chosen(self, selector: Selector) -> Sequence[int]:
        """Where the series are that a selector means; looked for once."""
        if not selector.labels:
            return range(len(self.labels))
        found = self._chosen.get(selector)
        if found is None:
            if len(self._chosen) >= _MOST_REMEMBERED:
                self._chosen.clear()
            found = tuple(at for at, labels in enumerate(self.labels) if selector.matches(labels))
            self._chosen[selector] = found
        return found


class Squeezed(Distribution):
    """A distribution in a few bytes for each bucket that holds anything; how many values it has is known at once."""

    __slots__ = ("_count", "_data")
    _count: int
    _data: bytes

    def __init__(self, value: Distribution) -> None:
        import numpy as np

        for name, known in (("layout", value.layout), ("sum", value.sum), ("_count", value.count)):
            object.__setattr__(self, name, known)
        # Neighbouring buckets and small counts: what is written is mostly ones and zeros.
        steps = np.diff(value.places, prepend=0).astype("<u4")
        object.__setattr__(self, "_data", zlib.compress(steps.tobytes() + value.counts.astype("<u8").tobytes(), 1))

    @property
    def count(self) -> int:
        """See `Distribution`."""
        return self._count

    def whole(self) -> Distribution:
        """As it was."""
        import numpy as np

        data = zlib.decompress(self._data)
        held = len(data) // 12
        places = np.frombuffer(data, "<u4", held).cumsum(dtype=np.int64)
        counts = np.frombuffer(data, "<u8", held, 4 * held).astype(np.uint64)
        return Distribution(self.layout, places, counts, self.sum)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """See `Distribution`."""
        return self.whole().places

    @property
    def counts(self) -> npt.NDArray[np.uint64]:
        """See `Distribution`."""
        return self.whole().counts

    def __add__(self, other: Distribution) -> Distribution:
        return self.whole() + other.whole()

    def __sub__(self, before: Distribution) -> Distribution:
        return self.whole() - before.whole()

    def quantile(self, q: float) -> float:
        """See `Distribution`."""
        return self.whole().quantile(q)

    def __reduce__(self) -> tuple[Callable[..., Distribution], tuple[Any, ...]]:
        return Squeezed, (self.whole(),)


@dataclass(frozen=True, slots=True)
class Column:
    """A family at one moment.

    Args:
        of: The family without its samples.
        series: Its series.
        values: Of numbers, by series.
        held: Of histograms, by series.
        exemplars: Of the series that have any, by place.
    """

    of: Family
    series: Series
    values: array[float] | None
    held: tuple[Squeezed, ...]
    exemplars: dict[int, tuple[Exemplar, ...]]

    def sample(self, at: int) -> Sample:
        """The series at a place."""
        value = self.held[at] if self.values is None else self.values[at]
        return Sample(self.series.labels[at], value, self.exemplars.get(at, ()))

    def family(self) -> Family:
        """All of it."""
        of = self.of
        return Family(of.name, of.kind, tuple(map(self.sample, range(len(self.series.labels)))), of.help, of.unit)


class Packed(Snapshot):
    """A snapshot whose samples are made when they are asked for."""

    __slots__ = ("_columns",)
    _columns: dict[str, Column]

    def __init__(self, at: float, columns: dict[str, Column]) -> None:
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "_columns", columns)

    @property
    def families(self) -> tuple[Family, ...]:
        """See `Snapshot`."""
        return tuple(column.family() for column in self._columns.values())

    def family(self, name: str) -> Family | None:
        """See `Snapshot`."""
        column = self._columns.get(name)
        return None if column is None else column.family()

    def select(self, what: Selector | str) -> tuple[Sample, ...]:
        """See `Snapshot`."""
        selector = Selector.of(what)
        column = self._columns.get(selector.name)
        return () if column is None else tuple(map(column.sample, column.series.chosen(selector)))

    def column(self, name: str) -> Column | None:
        """The family of a name, as it is kept."""
        return self._columns.get(name)

    def __reduce__(self) -> tuple[Callable[..., Snapshot], tuple[Any, ...]]:
        return Snapshot, (self.at, self.families)


def increases(snapshots: Sequence[Snapshot], selector: Selector) -> dict[Labels, float] | None:
    """By how much numbers grew, where all snapshots have the same series; None where they must be looked at singly."""
    import numpy as np

    columns = [each.column(selector.name) for each in snapshots if isinstance(each, Packed)]
    first = columns[0] if columns else None
    if first is None or first.values is None or len(columns) < len(snapshots):
        return None
    rows = [column.values for column in columns if column is not None and column.series is first.series]
    if len(rows) < len(columns):
        return None
    chosen = list(first.series.chosen(selector))
    table = np.array(rows)[:, chosen]
    steps = np.diff(table, axis=0)
    grown = np.where(steps < 0, table[1:], steps).sum(axis=0).tolist()
    return dict(zip((first.series.labels[at] for at in chosen), grown, strict=True))


class Packer:
    """Packs one snapshot after the other, each sharing what it can with the one before."""

    def __init__(self) -> None:
        self._last: dict[str, Column] = {}

    def pack(self, snapshot: Snapshot) -> Packed:
        """The same, smaller."""
        self._last = {family.name: _column(family, self._last.get(family.name)) for family in snapshot.families}
        return Packed(snapshot.at, self._last)


def _column(family: Family, last: Column | None) -> Column:
    labels = tuple(sample.labels for sample in family.samples)
    same = last is not None and last.series.labels == labels
    series = last.series if same and last is not None else Series(labels)
    bare = Family(family.name, family.kind, (), family.help, family.unit)
    of = last.of if last is not None and last.of == bare else bare
    exemplars = {at: sample.exemplars for at, sample in enumerate(family.samples) if sample.exemplars}
    if any(isinstance(sample.value, Distribution) for sample in family.samples):
        before = last.held if same and last is not None else ()
        held = tuple(
            _squeezed(sample.value, before[at] if before else None) for at, sample in enumerate(family.samples)
        )
        return Column(of, series, None, held, exemplars)
    return Column(of, series, array("d", map(_number, family.samples)), (), exemplars)


def _number(sample: Sample) -> float:
    assert not isinstance(sample.value, Distribution)
    return sample.value


def _squeezed(value: float | Distribution, before: Squeezed | None) -> Squeezed:
    assert isinstance(value, Distribution)
    if before is not None and (value.count, value.sum, value.layout) == (before.count, before.sum, before.layout):
        return before
    return Squeezed(value)
