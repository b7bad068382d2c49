"""What all formats of Prometheus say of a snapshot: names without clashes, buckets, the exemplars of each."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import NamedTuple

from seawall.observe._distribution import Distribution
from seawall.observe._names import exposed_label, exposed_name
from seawall.observe._snapshot import Exemplar, Family, Labels, Sample, Snapshot

_SUFFIXES = {"counter": ("", "_total"), "gauge": ("",), "histogram": ("", "_bucket", "_sum", "_count")}
_MOST_EXEMPLAR = 128


class Named(NamedTuple):
    """A family under the name that formats give it."""

    name: str
    family: Family


def named(snapshot: Snapshot) -> Iterator[Named]:
    """The families under their exposed names.

    Raises:
        ValueError: two of them would share a name, which no scraper takes.
    """
    taken: dict[str, int] = {}
    for place, family in enumerate(snapshot.families):
        name = exposed_name(family.name, family.kind, family.unit)
        for suffix in _SUFFIXES[family.kind]:
            other = taken.setdefault(name + suffix, place)
            if other != place:
                first = snapshot.families[other].name
                raise ValueError(f"metrics {first!r} and {family.name!r} are both {name + suffix} here; rename one")
        yield Named(name, family)


def labels_of(sample: Sample, family: Family) -> Labels:
    """The labels under their exposed names.

    Raises:
        ValueError: two of them would share a name.
    """
    labels = tuple((exposed_label(name), value) for name, value in sample.labels)
    names = {name for name, _ in labels}
    if len(names) != len(labels) or ("le" in names and family.kind == "histogram"):
        raise ValueError(f"labels {[name for name, _ in sample.labels]} of {family.name!r} clash here; rename one")
    return labels


class Bucket(NamedTuple):
    """How many values do not exceed a bound, and one of them."""

    bound: float
    reached: int
    exemplar: Exemplar | None


def buckets(sample: Sample, held: Distribution, bounds: tuple[float, ...]) -> Iterator[Bucket]:
    """The classic buckets of a histogram, +Inf last; each has the latest exemplar between its bounds."""
    latest: dict[int, Exemplar] = {}
    for exemplar in sample.exemplars:
        place = bisect.bisect_left(bounds, exemplar.value)
        if is_short(exemplar) and (place not in latest or latest[place].at <= exemplar.at):
            latest[place] = exemplar
    for place, bound in enumerate(bounds):
        yield Bucket(bound, held.count_below(bound), latest.get(place))
    yield Bucket(float("inf"), held.count, latest.get(len(bounds)))


def last_exemplar(sample: Sample) -> Exemplar | None:
    """The latest exemplar of a counter that may be told."""
    return max(filter(is_short, sample.exemplars), key=lambda exemplar: exemplar.at, default=None)


def is_short(exemplar: Exemplar) -> bool:
    """Whether the labels are short enough for OpenMetrics (section 5.1.5.2: 128 characters in all)."""
    return sum(len(name) + len(value) for name, value in exemplar.labels) <= _MOST_EXEMPLAR
