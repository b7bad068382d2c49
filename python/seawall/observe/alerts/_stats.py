"""What alerts say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seawall.observe.alerts._machine import Phase


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """A pending or firing alert.

    Attributes:
        muted: Whether a silence or an inhibition keeps it from being told.
    """

    rule: str
    labels: Mapping[str, str]
    phase: Phase
    since: float
    value: float | None
    muted: bool = False


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """How a channel does.

    Attributes:
        failing: Why the last notification did not arrive; "" when it did.
    """

    sent: int
    failed: int
    waiting: int
    failing: str = ""


@dataclass(frozen=True, slots=True)
class AlertsStats:
    """How the alerts do.

    Attributes:
        evaluated_at: Unix seconds; None before the first time.
        under_way: Notifications of which it is not known that they arrived.
        dropped: Groups beyond the `max_groups` of a rule, by rule; under "groups", alerts beyond 10,000 groups.
        errors: Rules that cannot be read, and why.
        problems: What went wrong with the store, newest last.
    """

    evaluations: int
    evaluated_at: float | None
    pending: int
    firing: int
    groups: int
    under_way: int
    silences: int
    channels: Mapping[str, ChannelStats]
    dropped: Mapping[str, int]
    errors: Mapping[str, str]
    problems: tuple[str, ...]
