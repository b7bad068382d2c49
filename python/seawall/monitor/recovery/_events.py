"""What the engine tells, and what it has done so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from seawall.monitor.recovery._machine import Kind, Phase


class RecoveryEvent(NamedTuple):
    """Something happened on the way to recovery.

    Attributes:
        at: When, in unix seconds.
        rule: Whose condition it is about.
        kind: What happened: `began` `relapsed` `recovered` `cleared` `exhausted` of the condition; `started`
            `would_start` `done` `failed` `hung` `ended_late` `no_help` of an action; `cooling` `refused` `busy` why one
            was not started; `undo_started` `undone` `undo_failed` `undo_hung`; `unknown` when the condition raised.
        action: The action it is about.
        detail: More, for people.
        readings: At that time.
    """

    at: float
    rule: str
    kind: Kind
    action: str | None
    detail: str
    readings: Mapping[str, float | None]

    def __str__(self) -> str:
        about = f" {self.action}" if self.action else ""
        return f"{self.rule}: {self.kind.replace('_', ' ')}{about}{f': {self.detail}' if self.detail else ''}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {**self._asdict(), "readings": dict(self.readings)}


class RuleStats(NamedTuple):
    """Where a rule is, and how often what happened to it."""

    phase: Phase
    action: str | None
    counts: Mapping[str, int]


class RecoveryStats(NamedTuple):
    """A snapshot of an engine.

    Attributes:
        rules: By name.
        running: Actions under way.
        hanging: Actions that ran out of their time and have not ended yet.
        evaluations: So far.
        skipped: Evaluations that found another one under way.
        reading_failures: Readings that raised.
        audit_failures: Events that could not be written to the audit trail.
    """

    rules: Mapping[str, RuleStats]
    running: tuple[str, ...]
    hanging: tuple[str, ...]
    evaluations: int
    skipped: int
    reading_failures: int
    audit_failures: int
