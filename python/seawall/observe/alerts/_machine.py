"""One alert of one group: inactive, pending, firing, resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

Phase = Literal["pending", "firing"]
Move = Literal["pending", "firing", "resolved", "inactive"]


class Timing(NamedTuple):
    """How long a condition must hold, and how long it must be gone."""

    for_: float = 0.0
    keep_firing_for: float = 0.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A pending or firing alert; an inactive or resolved one is None.

    Attributes:
        phase: Which of the two.
        active_at: Since when its condition holds, in unix seconds.
        fired_at: Since when it fires; None while pending.
        calm_since: Since when a firing alert's condition is gone; None while it holds.
        value: The last one read.
    """

    phase: Phase
    active_at: float
    fired_at: float | None = None
    calm_since: float | None = None
    value: float | None = None

    def shifted(self, seconds: float) -> Instance:
        """The same, with all times moved."""
        return replace(
            self,
            active_at=self.active_at + seconds,
            fired_at=None if self.fired_at is None else self.fired_at + seconds,
            calm_since=None if self.calm_since is None else self.calm_since + seconds,
        )

    def to_list(self) -> list[Any]:
        """As plain data for JSON."""
        return [self.phase, self.active_at, self.fired_at, self.calm_since, self.value]


def advance(
    instance: Instance | None, timing: Timing, holds: bool | None, value: float | None, now: float
) -> tuple[Instance | None, Move | None]:
    """The alert after an evaluation, and the move it made.

    Args:
        instance: Before; None when inactive.
        timing: Of the rule.
        holds: Whether the condition holds; None lets all stay as it is.
        value: What was read.
        now: Unix seconds, never less than before.
    """
    if holds is None:
        return instance, None
    if instance is None:
        return _begun(timing, value, now) if holds else (None, None)
    value = instance.value if value is None else value
    if instance.phase == "pending":
        return _pending(replace(instance, value=value), timing, holds, now)
    return _firing(replace(instance, value=value), timing, holds, now)


def _begun(timing: Timing, value: float | None, now: float) -> tuple[Instance, Move]:
    if timing.for_ <= 0:
        return Instance("firing", now, now, None, value), "firing"
    return Instance("pending", now, None, None, value), "pending"


def _pending(instance: Instance, timing: Timing, holds: bool, now: float) -> tuple[Instance | None, Move | None]:
    if not holds:
        return None, "inactive"
    if now - instance.active_at >= timing.for_:
        return replace(instance, phase="firing", fired_at=now), "firing"
    return instance, None


def _firing(instance: Instance, timing: Timing, holds: bool, now: float) -> tuple[Instance | None, Move | None]:
    if holds:
        return replace(instance, calm_since=None), None
    since = now if instance.calm_since is None else instance.calm_since
    if now - since >= timing.keep_firing_for:
        return None, "resolved"
    return replace(instance, calm_since=since), None
