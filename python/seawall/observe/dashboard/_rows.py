"""What a dashboard shows besides metrics. Whoever has it gives it as these rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

Level = Literal["good", "warning", "bad", "unknown"]


class GuardRow(NamedTuple):
    """A guard and how it is.

    Attributes:
        name: Its name.
        kind: Such as "CircuitBreaker".
        state: In a word, such as "open"; "" for a guard without states.
        level: How bad that is.
        passed: Calls let through, in all.
        refused: Calls refused, in all.
        detail: Anything else, for people.
    """

    name: str
    kind: str
    state: str = ""
    level: Level = "good"
    passed: int | None = None
    refused: int | None = None
    detail: str = ""


class AlertRow(NamedTuple):
    """An alert that is not inactive.

    Attributes:
        name: Of its rule.
        state: "pending", "firing" or "silenced".
        severity: Such as "page" or "ticket".
        since: Unix seconds.
        summary: For people.
        labels: What it is about.
    """

    name: str
    state: str
    severity: str
    since: float
    summary: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class BudgetRow(NamedTuple):
    """An objective and what is left of its error budget.

    Attributes:
        name: Of the objective.
        objective: The share that must be good, such as 0.999.
        left: The share of the budget that is left; below 0 when more was spent. None when not known.
        burn: How fast it is spent now: 1.0 spends all of it in just its period. None when not known.
    """

    name: str
    objective: float
    left: float | None
    burn: float | None = None


class HealthRow(NamedTuple):
    """A check of health.

    Attributes:
        name: What is checked.
        level: How it is.
        critical: Whether the service cannot do without it.
        detail: For people, without anything secret.
        seconds: How long the check took.
    """

    name: str
    level: Level
    critical: bool = True
    detail: str = ""
    seconds: float | None = None


class SpanRow(NamedTuple):
    """A span of a trace: where it begins in the trace and how long it lasted, in seconds, and how deep it is."""

    name: str
    start: float
    seconds: float
    depth: int = 0
    failed: bool = False


class TraceRow(NamedTuple):
    """A trace that was kept.

    Attributes:
        trace_id: Its id, in hexadecimal digits.
        name: Of its root.
        at: When it began, in unix seconds.
        seconds: How long it lasted.
        failed: Whether it ended in an error.
        spans: Its parts, in the order they began.
    """

    trace_id: str
    name: str
    at: float
    seconds: float
    failed: bool = False
    spans: tuple[SpanRow, ...] = ()


class Sections(NamedTuple):
    """Where rows come from: called for each state of the page; None leaves a section out.

    Attributes:
        guards: Guards of this process, or of all workers.
        alerts: Alerts that are not inactive.
        budgets: Objectives.
        health: Checks.
        traces: Slow traces and failed ones.
        flame: A page with a flame graph, as HTML; shown when somebody asks for it.
    """

    guards: Callable[[], Iterable[GuardRow]] | None = None
    alerts: Callable[[], Iterable[AlertRow]] | None = None
    budgets: Callable[[], Iterable[BudgetRow]] | None = None
    health: Callable[[], Iterable[HealthRow]] | None = None
    traces: Callable[[], Iterable[TraceRow]] | None = None
    flame: Callable[[], str] | None = None
