"""Panels for whatever metrics there are."""

from __future__ import annotations

from typing import Any

from seawall.observe._snapshot import Family, Snapshot
from seawall.observe.panels._own import guard_panels, resource_panels
from seawall.observe.panels._panel import Panel
from seawall.observe.panels._query import Query

_OWN = "seawall_"
_QUANTILES = (0.5, 0.9, 0.99)
_UNITS: dict[str, Any] = {"seconds": "seconds", "bytes": "bytes", "ratio": "ratio"}


def found_panels(snapshot: Snapshot | None, *, most: int = 48) -> tuple[Panel, ...]:
    """One panel for each metric: rates of counters, values of gauges, quantiles of histograms.

    Lines are told apart by the labels that have several values. What guards and resources publish comes last, in the
    panels made for them.

    Args:
        snapshot: What there is.
        most: Panels of metrics at most, by name.
    """
    if snapshot is None:
        return ()
    found = [_panel(family) for family in snapshot.families if family.samples and not family.name.startswith(_OWN)]
    own = [panel for panel in (*guard_panels(), *resource_panels()) if _is_known(panel, snapshot)]
    return (*found[:most], *own)


def _is_known(panel: Panel, snapshot: Snapshot) -> bool:
    families = (snapshot.family(query.selector.name) for query in panel.queries)
    return any(family is not None and family.samples for family in families)


def _panel(family: Family) -> Panel:
    by, unit, title = _telling(family), _UNITS.get(family.unit, ""), family.name.replace("_", " ")
    if family.kind == "histogram":
        queries = tuple(Query(family.name, "quantile", q=q, legend=f"p{q * 100:g}") for q in _QUANTILES)
        return Panel(title, "lines", queries, unit, help=family.help, row="Metrics")
    if family.kind == "counter":
        rate = Query(family.name, "rate", by=by)
        shown: Any = unit or "per_second"
        return Panel(f"{title}, a second", "lines", (rate,), shown, help=family.help, row="Metrics")
    return Panel(title, "lines", (Query(family.name, "value", by=by),), unit, help=family.help, row="Metrics")


def _telling(family: Family) -> tuple[str, ...]:
    values: dict[str, set[str]] = {}
    for sample in family.samples:
        for name, value in sample.labels:
            values.setdefault(name, set()).add(value)
    return tuple(sorted(name for name, known in values.items() if len(known) > 1)[:2])
