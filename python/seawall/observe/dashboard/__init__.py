"""One page that shows a service, live, without anything from elsewhere."""

from seawall.observe.dashboard._answers import Answer
from seawall.observe.dashboard._dashboard import Dashboard
from seawall.observe.dashboard._guards import guard_rows
from seawall.observe.dashboard._rows import (
    AlertRow,
    BudgetRow,
    GuardRow,
    HealthRow,
    Level,
    Sections,
    SpanRow,
    TraceRow,
)
from seawall.observe.dashboard._sections import alert_rows, budget_rows, trace_rows

__all__ = [
    "AlertRow",
    "Answer",
    "BudgetRow",
    "Dashboard",
    "GuardRow",
    "HealthRow",
    "Level",
    "Sections",
    "SpanRow",
    "TraceRow",
    "alert_rows",
    "budget_rows",
    "guard_rows",
    "trace_rows",
]
