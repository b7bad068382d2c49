"""One page that shows a service, live, without anything from elsewhere."""

from seawall.observe.dashboard._dashboard import Dashboard
from seawall.observe.dashboard._rows import (
    AlertRow,
    BudgetRow,
    GuardRow,
    HealthRow,
    Sections,
    SpanRow,
    TraceRow,
)

__all__ = ["AlertRow", "BudgetRow", "Dashboard", "GuardRow", "HealthRow", "Sections", "SpanRow", "TraceRow"]
