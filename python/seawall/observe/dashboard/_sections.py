"""Alerts, objectives and traces as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seawall.observe.dashboard._rows import AlertRow, BudgetRow, SpanRow, TraceRow

if TYPE_CHECKING:
    from seawall.observe._recording import Recording
    from seawall.observe.alerts import ActiveAlert, Alerts, Slo
    from seawall.observe.tracing import Store, Trace

_MOST_SPANS = 60
_ORDER = {"firing": 0, "pending": 1, "muted": 2}


def alert_rows(alerts: Alerts) -> list[AlertRow]:
    """Alerts that are pending or firing, those that fire first."""
    rows = [_alert(active) for active in alerts.active()]
    return sorted(rows, key=lambda row: (_ORDER.get(row.state, 3), -row.since))


def _alert(active: ActiveAlert) -> AlertRow:
    labels = {name: value for name, value in active.labels.items() if name not in ("alertname", "severity")}
    return AlertRow(
        active.rule,
        "muted" if active.muted else str(active.phase),
        active.labels.get("severity", ""),
        active.since,
        "" if active.value is None else f"now {active.value:.4g}",
        tuple(sorted(labels.items())),
    )


def budget_rows(recording: Recording, slos: Iterable[Slo]) -> list[BudgetRow]:
    """What is left of the error budgets of objectives, and how fast they burn over the shortest window."""
    rows = []
    for slo in slos:
        for group, status in slo.status(recording).items():
            name = " ".join([slo.name, *(value for _, value in group)])
            known = {window: burn for window, burn in status.burn.items() if burn is not None}
            rows.append(
                BudgetRow(name, status.objective, status.budget_left if status.total else None,
                          known[min(known)] if known else None)
            )  # fmt: skip
    return rows


def trace_rows(store: Store, *, most: int = 20) -> list[TraceRow]:
    """Traces that failed and those that were slowest, the latest first."""
    chosen = {trace.trace_id: trace for trace in (*store.errors(most // 2), *store.slowest(most)) if trace.spans}
    rows = [_trace(trace) for trace in list(chosen.values())[:most]]
    return sorted(rows, key=lambda row: -row.at)


def _trace(trace: Trace) -> TraceRow:
    root = trace.root or trace.spans[0]
    start = min(span.start_ns for span in trace.spans)
    spans = tuple(_spans(trace, start))
    return TraceRow(trace.trace_id, root.name, start / 1e9, trace.seconds, trace.failed, spans)


def _spans(trace: Trace, start: int) -> Iterator[SpanRow]:
    depths: dict[str, int] = {}
    for span in trace.spans[:_MOST_SPANS]:
        depths[span.span_id] = depth = depths.get(span.parent_id or "", -1) + 1
        yield SpanRow(span.name, (span.start_ns - start) / 1e9, (span.end_ns - span.start_ns) / 1e9, depth, span.failed)
