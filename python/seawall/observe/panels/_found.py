"""Panels for whatever metrics there are."""

from __future__ import annotations

from typing import Any

from seawall.observe._snapshot import Family, Snapshot
from seawall.observe.panels._panel import Panel
from seawall.observe.panels._query import Query

_OWN = "seawall_"
_QUANTILES = (0.5, 0.9, 0.99)
_UNITS: dict[str, Any] = {"seconds": "seconds", "bytes": "bytes", "ratio": "ratio"}


def found_panels(snapshot: Snapshot | None, *, most: int = 48) -> tuple[Panel, ...]:
    """One panel for each metric: rates of counters, values of gauges, quantiles of histograms.

    Lines are told apart by the first label that has several values. What guards publish comes last.

    Args:
        snapshot: What there is.
        most: Panels at most.
    """
    if snapshot is None:
        return ()
    families = sorted(snapshot.families, key=lambda family: (family.name.startswith(_OWN), family.name))
    return tuple(_panel(family) for family in families[:most] if family.samples)


def _panel(family: Family) -> Panel:
    by = _telling(family)
    unit = _UNITS.get(family.unit, "")
    row = "Guards" if family.name.startswith(_OWN) else "Metrics"
    title = family.name.removeprefix(_OWN).replace("_", " ")
    named: dict[str, Any] = {"by": by, "unit": family.unit}
    if family.kind == "histogram":
        queries = tuple(
            Query(family.name, "quantile", q=q, legend=f"p{q * 100:g}", unit=family.unit) for q in _QUANTILES
        )
        return Panel(title, "lines", queries, unit, help=family.help, row=row)
    if family.kind == "counter":
        shown: Any = unit or "per_second"
        return Panel(
            f"{title}, a second", "lines", (Query(family.name, "rate", **named),), shown, help=family.help, row=row
        )
    return Panel(title, "lines", (Query(family.name, "value", **named),), unit, help=family.help, row=row)


def _telling(family: Family) -> tuple[str, ...]:
    values: dict[str, set[str]] = {}
    for sample in family.samples:
        for name, value in sample.labels:
            values.setdefault(name, set()).add(value)
    several = sorted(
        (name for name, known in values.items() if len(known) > 1), key=lambda name: (name != "name", name)
    )
    return tuple(several[:2])
