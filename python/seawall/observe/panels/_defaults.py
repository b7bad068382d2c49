"""Panels that most services want."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seawall.observe._snapshot import Kind
from seawall.observe.panels._panel import Panel, Threshold
from seawall.observe.panels._query import Query
from seawall.observe.signals import Busy, Resource, Service, Share

_QUANTILES = (0.5, 0.9, 0.99)


def red_panels(
    service: Service, *, by: str = "", error_ratio: float = 0.01, slow: float | None = None, counted: Kind = "counter"
) -> tuple[Panel, ...]:
    """Rate, errors, duration and saturation of a service.

    Args:
        service: Its metrics.
        by: A label, such as "route", that traffic and errors are told apart by.
        error_ratio: The share of failures that is critical; a tenth of it is a warning.
        slow: The 99th percentile that is a warning, in seconds; twice that is critical.
        counted: What the requests are counted by: a "counter", or a "histogram" with a value for each.
    """
    limits: tuple[Threshold, ...]
    groups: dict[str, Any] = {"by": (by,) if by else (), "legend": f"{{{by}}}" if by else "all"}
    counts: dict[str, Any] = {"kind": counted}
    panels = [Panel("Traffic", "lines", (Query(service.requests, "rate", **groups, **counts),), "per_second")]
    if service.errors is not None:
        share = Query(service.errors, "ratio", whole=service.requests, **groups, **counts)
        limits = (Threshold(error_ratio / 10), Threshold(error_ratio, "critical"))
        panels.append(Panel("Errors", "lines", (share,), "ratio", limits, "The share of requests that failed."))
    for title, what in (("Duration", service.duration), ("Duration of failures", service.failed_duration)):
        if what is not None:
            queries = tuple(Query(what, "quantile", q=q, legend=f"p{q * 100:g}") for q in _QUANTILES)
            limits = () if slow is None else (Threshold(slow), Threshold(slow * 2, "critical"))
            panels.append(Panel(title, "lines", queries, "seconds", limits))
    if service.saturation is not None:
        full = Query(service.saturation, "value", across="max", legend="full")
        limits = (Threshold(0.8), Threshold(0.95, "critical"))
        panels.append(Panel("Saturation", "lines", (full,), "ratio", limits, "How full the fullest part is."))
    return tuple(replace(panel, row=service.name) for panel in panels)


def use_panels(*resources: Resource) -> tuple[Panel, ...]:
    """Utilisation, saturation and errors of resources, each in a row of its own."""
    return tuple(panel for resource in resources for panel in _use(resource))


def _use(resource: Resource) -> list[Panel]:
    panels: list[Panel] = []
    if resource.utilisation is not None:
        queries, unit = _utilisation(resource.utilisation)
        limits = (Threshold(0.8), Threshold(0.95, "critical")) if unit == "ratio" else ()
        panels.append(Panel("Utilisation", "lines", queries, unit, limits, row=resource.name, width=4))
    if resource.saturation is not None:
        waiting = Query(resource.saturation, "value", across="max", legend="waiting")
        panels.append(Panel("Saturation", "lines", (waiting,), row=resource.name, width=4))
    if resource.errors is not None:
        failed = Query(resource.errors, "rate", legend="errors")
        panels.append(Panel("Errors", "lines", (failed,), "per_second", row=resource.name, width=4))
    return panels


def _utilisation(how: Any) -> tuple[tuple[Query, ...], Any]:
    if isinstance(how, Busy):
        # Of several workers the figure is how many of them are busy.
        return (Query(how.seconds, "rate", legend="busy"),), "ratio" if how.workers == 1 else "count"
    if isinstance(how, Share):
        return (Query(how.used, "value", legend="used"), Query(how.capacity, "value", legend="capacity")), "count"
    return (Query(how, "value", across="max", legend="used"),), "ratio"
