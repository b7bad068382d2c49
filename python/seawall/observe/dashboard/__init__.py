"""One page that shows a service, live, without anything from elsewhere."""

from seawall.observe.dashboard._answers import Answer
from seawall.observe.dashboard._dashboard import Dashboard
from seawall.observe.dashboard._guards import guard_rows
from seawall.observe.dashboard._rows import (
    AlertRow,
    BudgetRow,
    GuardRow,
    HealthRow,
    Sections,
    SpanRow,
    TraceRow,
)

__all__ = [
    "AlertRow",
    "Answer",
    "BudgetRow",
    "Dashboard",
    "GuardRow",
    "HealthRow",
    "Sections",
    "SpanRow",
    "TraceRow",
    "guard_rows",
]
