"""What an alert is about: a reading, a threshold, and how long it must hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seawall.errors import ConfigError
from seawall.observe.alerts._checks import choice_of, labels_of, name_of, seconds_of, texts_of, whole_of
from seawall.observe.alerts._filling import checked_text
from seawall.observe.alerts._readings import Reading

NoData = Literal["ok", "firing", "keep"]
_TAKEN = ("alertname", "severity")


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires for each group of labels in which a reading is over (or under) a threshold for long enough.

    Guarantees: what it says depends on the recording, the time and what it said before, on nothing else.

    Units: seconds for durations; thresholds have the unit of the reading.

    Args:
        name: The label `alertname`.
        reading: What is compared: `Rate`, `Ratio`, `Quantile`, `Value`, `Absent`, ... or an object like them.
        above: It must be greater than this...
        below: ... or less than this. Exactly one of the two.
        for_: The alert is pending that long before it fires.
        resolve: A firing alert resolves only at this value, on the other side of which it fires on.
        keep_firing_for: A firing alert resolves only when the condition has been gone for so long.
        by: Labels; an alert for each combination of their values.
        severity: The label `severity`.
        no_data: What a group without data counts as: "ok", "firing", or "keep" for as it was.
        labels: Further labels of the alert.
        annotations: Texts for people; `{value}`, `{threshold}`, `{name}`, `{severity}` and any label may be named.
        max_groups: So many alerts at once; of further groups only the number is told.

    Raises:
        ConfigError: a value that cannot be.

    Example:
        >>> from seawall.observe.alerts import Ratio
        >>> Rule("Errors", Ratio("failures", "requests", over=60), above=0.05, for_=120, resolve=0.02).holds(0.04, True)
        True
    """

    name: str
    reading: Reading
    above: float | None = None
    below: float | None = None
    for_: float = 0.0
    resolve: float | None = None
    keep_firing_for: float = 0.0
    by: tuple[str, ...] = ()
    severity: str = "warning"
    no_data: NoData = "ok"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    max_groups: int = 1_000

    def __post_init__(self) -> None:
        name_of(self.name, "name")
        name_of(self.severity, "severity")
        if not isinstance(self.reading, Reading) or isinstance(self.reading, type):
            raise ConfigError(f"reading must be a reading such as Rate('requests'), got {self.reading!r}")
        _check_thresholds(self)
        choice_of(self.no_data, "no_data", ("ok", "firing", "keep"))
        whole_of(self.max_groups, "max_groups", 1, 100_000, 1_000)
        for name, value in (
            ("for_", seconds_of(self.for_, "for_")),
            ("keep_firing_for", seconds_of(self.keep_firing_for, "keep_firing_for")),
            ("by", labels_of(self.by, "by")),
            ("labels", texts_of(self.labels, "labels")),
            ("annotations", texts_of(self.annotations, "annotations")),
        ):
            object.__setattr__(self, name, value)
        for text in self.annotations.values():
            checked_text(text)
        for label in (*self.by, *self.labels):
            if label in _TAKEN:
                raise ConfigError(f"{label!r} is set by the rule itself; use name= and severity=")

    @property
    def key(self) -> str:
        """What tells it from other rules: name and severity."""
        return f"{self.name}/{self.severity}"

    @property
    def threshold(self) -> float:
        """At which it begins to hold."""
        return self.above if self.above is not None else self.below  # type: ignore[return-value]  # one is given

    def holds(self, value: float | None, firing: bool) -> bool | None:
        """Whether the condition holds; None means that all stays as it is."""
        if value is None or math.isnan(value):
            return {"ok": False, "firing": True, "keep": None}[self.no_data]
        limit = self.resolve if firing and self.resolve is not None else self.threshold
        return value > limit if self.above is not None else value < limit

    def labels_for(self, group: Any) -> dict[str, str]:
        """All labels of the alert of a group."""
        return {**dict(group), **self.labels, "alertname": self.name, "severity": self.severity}


def _check_thresholds(rule: Rule) -> None:
    given = [each for each in (rule.above, rule.below) if each is not None]
    if len(given) != 1:
        raise ConfigError(f"rule {rule.name!r} needs above= or below=, exactly one, got {len(given)} of them")
    for name, value in (("above", rule.above), ("below", rule.below), ("resolve", rule.resolve)):
        good = value is None or (
            isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
        )
        if not good:
            raise ConfigError(f"{name} must be a number, got {value!r}")
    if rule.resolve is not None:
        side = rule.resolve <= given[0] if rule.above is not None else rule.resolve >= given[0]
        if not side:
            which, how = ("above", "at most") if rule.above is not None else ("below", "at least")
            raise ConfigError(f"resolve must be {how} {which}={given[0]:g}, got {rule.resolve:g}; or leave it out")
