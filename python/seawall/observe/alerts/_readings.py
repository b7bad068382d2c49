"""What rules read: a number for each group of labels, from a recording at one moment."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from seawall.errors import ConfigError
from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Labels, Selector
from seawall.observe.alerts._checks import choice_of, seconds_of
from seawall.observe.alerts._moment import Moment

Values = Mapping[Labels, float | None]
Across = Literal["sum", "min", "max", "mean"]
_ACROSS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum, "min": min, "max": max, "mean": lambda values: sum(values) / len(values),
}  # fmt: skip


@runtime_checkable
class Reading(Protocol):
    """What a rule compares with its threshold: one of this module's, or an object of your own with this method.

    It may also have `fields(moment, by)`: for each group, a mapping of what templates may name.
    """

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """A number for each group, None for one of which nothing is known; without `by`, for the group ()."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """What gauges, or counters in all, are in the newest snapshot.

    Args:
        what: The series.
        across: What several of a group make together.
        stale: A snapshot older than this many seconds says nothing.
    """

    what: Selector | str
    across: Across = "sum"
    stale: float = 300.0

    def __post_init__(self) -> None:
        choice_of(self.across, "across", tuple(_ACROSS))
        object.__setattr__(self, "stale", seconds_of(self.stale, "stale", least=1e-3))

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The value of each group."""
        if moment.latest is None or moment.latest.at <= moment.now - self.stale:
            return {}
        found = moment.latest.select(self.what)
        series = {s.labels: float(s.value) for s in found if not isinstance(s.value, Distribution)}
        return {group: _ACROSS[self.across](many) for group, many in grouped(series, by).items()}


@dataclass(frozen=True, slots=True)
class Increase:
    """By how much counters grew in the last `over` seconds, or how many values came to histograms."""

    what: Selector | str
    over: float = 300.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "over", seconds_of(self.over, "over", least=1e-3))

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The increase of each group."""
        return counted(moment, self.what, self.over, by)


@dataclass(frozen=True, slots=True)
class Rate(Increase):
    """The increase a second, over the last `over` seconds."""

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The rate of each group."""
        covered = moment.window(self.over).seconds
        return {group: grown / covered for group, grown in counted(moment, self.what, self.over, by).items()}


@dataclass(frozen=True, slots=True)
class Ratio:
    """The increase of a part to that of the whole, such as errors to requests; nothing where the whole did not grow."""

    part: Selector | str
    whole: Selector | str
    over: float = 300.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "over", seconds_of(self.over, "over", least=1e-3))

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The ratio of each group of the whole."""
        parts = counted(moment, self.part, self.over, by)
        wholes = counted(moment, self.whole, self.over, by)
        return {group: parts.get(group, 0.0) / whole if whole else None for group, whole in wholes.items()}


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of the values that came to histograms in the last `over` seconds.

    Args:
        q: 0 to 1; 0.99 is the 99th percentile.
    """

    what: Selector | str
    q: float
    over: float = 300.0

    def __post_init__(self) -> None:
        if not isinstance(self.q, (int, float)) or not 0 <= self.q <= 1:
            raise ConfigError(f"q must be a share from 0 to 1, got {self.q!r}; 0.99 is the 99th percentile")
        object.__setattr__(self, "over", seconds_of(self.over, "over", least=1e-3))

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The quantile of each group."""
        grown = moment.grown(Selector.of(self.what), self.over) or {}
        came = {labels: each for labels, each in grown.items() if isinstance(each, Distribution)}
        found = {group: functools.reduce(operator.add, many) for group, many in grouped(came, by).items()}
        return {group: each.quantile(self.q) if each.count else None for group, each in found.items()}


@dataclass(frozen=True, slots=True)
class Absent:
    """1 when no snapshot of the last `within` seconds has such a series, else 0. Never without data."""

    what: Selector | str
    within: float = 300.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", seconds_of(self.within, "within", least=1e-3))

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:  # noqa: ARG002 - there are no groups
        """Of all together, whatever `by` says: there are no groups of what is not there."""
        since = moment.now - self.within
        return {(): float(not any(s.at > since and s.select(self.what) for s in _newest(moment)))}


@dataclass(frozen=True, slots=True)
class Unchanged:
    """For how many seconds no series of a group has changed: a heartbeat that stands still.

    What stood still since the oldest snapshot that is kept is as old as that. A gap in the recording is time, too.
    """

    what: Selector | str

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:
        """The age of the youngest series of each group."""
        first, last = {}, {}  # type: dict[Labels, Any], dict[Labels, float]
        for snapshot in _newest(moment):
            for labels, value, _ in snapshot.select(self.what):
                if labels not in first:
                    first[labels], last[labels] = value, snapshot.at
                elif labels in last and first[labels] is not _CHANGED:
                    if first[labels] == value:
                        last[labels] = snapshot.at
                    else:
                        first[labels] = _CHANGED
        ages = {labels: moment.now - at for labels, at in last.items()}
        return {group: min(many) for group, many in grouped(ages, by).items()}


_CHANGED = object()


@dataclass(frozen=True, slots=True)
class Measure:
    """Whatever a function makes of the moment.

    Args:
        function: Called with a Moment; returns a number, None, or a mapping of labels (as a dict or a tuple of pairs)
            to numbers.
    """

    function: Callable[[Moment], Any]

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:  # noqa: ARG002 - the function knows its own
        """What the function returned; `by` is the function's own affair."""
        found = self.function(moment)
        if not isinstance(found, Mapping):
            return {(): found}
        return {tuple(sorted(dict(labels).items())): value for labels, value in found.items()}


def counted(moment: Moment, what: Selector | str, over: float, by: tuple[str, ...]) -> dict[Labels, float]:
    """By how much each group grew: counters by their value, histograms by how many values came."""
    grown = moment.grown(Selector.of(what), over) or {}
    series = {labels: float(e.count if isinstance(e, Distribution) else e) for labels, e in grown.items()}
    return {group: math.fsum(many) for group, many in grouped(series, by).items()}


def grouped(series: Mapping[Labels, Any], by: tuple[str, ...]) -> dict[Labels, list[Any]]:
    """Series by the labels that make a group."""
    groups: dict[Labels, list[Any]] = {}
    for labels, value in series.items():
        groups.setdefault(group_of(labels, by), []).append(value)
    return groups


def group_of(labels: Labels, by: tuple[str, ...]) -> Labels:
    """The group that a series belongs to. A label that it lacks is ""."""
    if not by:
        return ()
    values = dict(labels)
    return tuple(sorted((name, values.get(name, "")) for name in by))


def _newest(moment: Moment) -> Iterable[Any]:
    return reversed(moment.snapshots)
