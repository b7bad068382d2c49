"""All metrics at one moment, as an immutable value: what exports render, and what everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from seawall.observe._distribution import Distribution

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
Wanted = str | Collection[str] | Callable[[str], bool]


class Exemplar(NamedTuple):
    """One observation that stands for others of its series.

    Attributes:
        labels: What leads to it, such as `trace_id`.
        value: What was observed.
        at: When, in unix seconds.
    """

    labels: Labels
    value: float
    at: float


class Sample(NamedTuple):
    """One series at one moment.

    Attributes:
        labels: Names and values, by name.
        value: A number, or for a histogram what it holds.
        exemplars: Observations that stand for others.
    """

    labels: Labels
    value: float | Distribution
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name.

    Args:
        name: Without the suffixes that formats add.
        kind: What its values are. Counters and histograms only grow, until whoever counts begins anew.
        samples: Its series, each with other labels.
        help: For people.
        unit: Such as "seconds", "bytes" or "ratio"; "" where there is none.
    """

    name: str
    kind: Kind
    samples: tuple[Sample, ...] = ()
    help: str = ""
    unit: str = ""
    _index: dict[Labels, Sample] = field(default_factory=dict, repr=False, compare=False)

    def sample(self, labels: Labels) -> Sample | None:
        """The series of exactly these labels, by name; None when there is none."""
        if len(self._index) != len(self.samples):
            self._index.update((sample.labels, sample) for sample in self.samples)
        return self._index.get(labels)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All metrics at one moment.

    Args:
        at: When: unix seconds, which the maker lets grow by its monotonic clock, so that they never go back.
        families: By name.
    """

    at: float
    families: tuple[Family, ...] = ()
    _index: dict[str, Family] = field(default_factory=dict, repr=False, compare=False)

    def family(self, name: str) -> Family | None:
        """The family of a name; None when there is none."""
        if len(self._index) != len(self.families):
            self._index.update((family.name, family) for family in self.families)
        return self._index.get(name)

    def select(self, what: Selector | str) -> tuple[Sample, ...]:
        """The series that a selector means."""
        selector = Selector.of(what)
        family = self.family(selector.name)
        return () if family is None else tuple(s for s in family.samples if selector.matches(s.labels))

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"at": self.at, "families": [_family_to_dict(family) for family in self.families]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Snapshot:
        """What `to_dict` wrote."""
        return cls(float(data["at"]), tuple(_family_from_dict(family) for family in data["families"]))

    @classmethod
    def merged(cls, snapshots: Iterable[Snapshot]) -> Snapshot:
        """Families of several makers in one; of a name that several have, the series of all, the first where equal."""
        families: dict[str, Family] = {}
        at = 0.0
        for snapshot in snapshots:
            at = max(at, snapshot.at)
            for family in snapshot.families:
                known = families.get(family.name)
                families[family.name] = family if known is None else _joined(known, family)
        return cls(at, tuple(families[name] for name in sorted(families)))


class Selector:
    """Some series of one name.

    Args:
        name: Of the metric.
        labels: What the labels must be: a value, one of several, or a function of the value. A label that a series
            lacks is "".

    Example:
        >>> failed = Selector("http_requests", code=lambda code: code.startswith("5"))
        >>> failed.matches((("code", "503"), ("route", "/")))
        True
        >>> failed.where(route=("/a", "/b")).matches((("code", "503"), ("route", "/")))
        False
    """

    __slots__ = ("labels", "name")

    def __init__(self, name: str, /, **labels: Wanted) -> None:
        self.name = name
        self.labels = labels

    @classmethod
    def of(cls, what: Selector | str) -> Selector:
        """A name alone means all series of that name."""
        return what if isinstance(what, Selector) else cls(what)

    def where(self, **labels: Wanted) -> Selector:
        """The same, and these labels too."""
        return Selector(self.name, **{**self.labels, **labels})

    def matches(self, labels: Labels) -> bool:
        """Whether a series is meant."""
        if not self.labels:
            return True
        values = dict(labels)
        return all(_is_wanted(values.get(name, ""), wanted) for name, wanted in self.labels.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and (self.name, self.labels) == (other.name, other.labels)

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.labels))))

    def __repr__(self) -> str:
        return f"Selector({', '.join([repr(self.name), *(f'{name}={want!r}' for name, want in self.labels.items())])})"


def _is_wanted(value: str, wanted: Wanted) -> bool:
    if isinstance(wanted, str):
        return value == wanted
    return bool(wanted(value)) if callable(wanted) else value in wanted


def _joined(one: Family, other: Family) -> Family:
    known = {sample.labels for sample in one.samples}
    more = tuple(sample for sample in other.samples if sample.labels not in known)
    return Family(one.name, one.kind, one.samples + more, one.help, one.unit)


def _family_to_dict(family: Family) -> dict[str, Any]:
    samples = [
        {
            "labels": dict(sample.labels),
            "value": sample.value.to_dict() if isinstance(sample.value, Distribution) else sample.value,
            **({"exemplars": [[dict(e.labels), e.value, e.at] for e in sample.exemplars]} if sample.exemplars else {}),
        }
        for sample in family.samples
    ]
    return {"name": family.name, "kind": family.kind, "help": family.help, "unit": family.unit, "samples": samples}


def _family_from_dict(data: dict[str, Any]) -> Family:
    samples = tuple(
        Sample(
            _labels(each["labels"]),
            Distribution.from_dict(each["value"]) if isinstance(each["value"], dict) else float(each["value"]),
            tuple(Exemplar(_labels(labels), value, at) for labels, value, at in each.get("exemplars", ())),
        )
        for each in data["samples"]
    )
    return Family(data["name"], data["kind"], samples, data.get("help", ""), data.get("unit", ""))


def _labels(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))
