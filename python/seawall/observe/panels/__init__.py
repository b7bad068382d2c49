"""Panels: what a page or a Grafana dashboard shows, defined once."""

from seawall.observe.panels._defaults import red_panels, use_panels
from seawall.observe.panels._found import found_panels
from seawall.observe.panels._own import guard_panels, resource_panels
from seawall.observe.panels._panel import Panel, Threshold
from seawall.observe.panels._promql import promql
from seawall.observe.panels._query import Query

__all__ = [
    "Panel",
    "Query",
    "Threshold",
    "found_panels",
    "guard_panels",
    "promql",
    "red_panels",
    "resource_panels",
    "use_panels",
]
