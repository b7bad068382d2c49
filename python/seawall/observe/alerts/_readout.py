"""What all rules read at one moment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seawall.observe._snapshot import Labels
from seawall.observe.alerts._moment import Moment
from seawall.observe.alerts._rule import Rule


@dataclass(frozen=True, slots=True)
class Readout:
    """What one rule read.

    Attributes:
        values: By group.
        fields: What templates may name beside the value, by group.
        dropped: Groups beyond `max_groups`.
        error: Why it could not be read; "" when it was.
    """

    values: Mapping[Labels, float | None] = field(default_factory=dict)
    fields: Mapping[Labels, Mapping[str, Any]] = field(default_factory=dict)
    dropped: int = 0
    error: str = ""


def read(rules: Sequence[Rule], moment: Moment, known: Mapping[str, set[Labels]]) -> dict[str, Readout]:
    """What each rule reads, by its key; one that fails keeps none of the others from it.

    Args:
        rules: All.
        moment: What they read.
        known: The groups each rule already has alerts for, which are kept when there are too many.
    """
    return {rule.key: _read(rule, moment, known.get(rule.key, set())) for rule in rules}


def _read(rule: Rule, moment: Moment, known: set[Labels]) -> Readout:
    try:
        values = {group: _number(value) for group, value in rule.reading.values(moment, rule.by).items()}
        more = getattr(rule.reading, "fields", None)
        fields = more(moment, rule.by) if more is not None else {}
    except Exception as error:  # noqa: BLE001 - a reading may be anybody's code
        return Readout(error=f"{type(error).__name__}: {error}"[:500])
    if len(values) <= rule.max_groups:
        return Readout(values, fields)
    kept = sorted(values, key=lambda group: (group not in known, group))[: rule.max_groups]
    return Readout({group: values[group] for group in kept}, fields, len(values) - rule.max_groups)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return None if math.isnan(number) else number
