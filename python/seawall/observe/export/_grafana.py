"""Panels as a Grafana dashboard.

Source: the dashboard JSON model of Grafana, schema 39.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.errors import ConfigError
from seawall.observe._names import exposed_label
from seawall.observe._snapshot import Snapshot
from seawall.observe.panels import Panel, Query, promql
from seawall.observe.panels._promql import series_name

_SCHEMA, _COLUMNS, _TALL, _SHORT = 39, 24, 8, 4
_UNITS = {"seconds": "s", "bytes": "bytes", "ratio": "percentunit", "per_second": "cps", "count": "short", "": "short"}
_COLOURS = {"warning": "orange", "critical": "red"}
_TYPES = {"lines": "timeseries", "stacked": "timeseries", "number": "stat", "table": "table"}
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")


def to_grafana(
    panels: Iterable[Panel],
    *,
    title: str = "seawall",
    uid: str | None = None,
    variables: Sequence[str] = ("job",),
    known: Snapshot | None = None,
    native: bool = False,
    refresh: str = "30s",
    period: str = "1h",
) -> dict[str, Any]:
    """The JSON model of a dashboard that shows the panels from Prometheus, to be imported or provisioned.

    The data source is a variable of the dashboard, so that one file is for every Grafana.

    Args:
        panels: What it shows, row by row.
        title: Its name.
        uid: What links lead to; by default made from the title, the same each time.
        variables: Labels, such as "job" and "instance", that whoever looks narrows all panels by.
        known: Metrics that say what kind and unit each name has; see `promql`.
        native: Whether Prometheus scrapes native histograms.
        refresh: How often it asks anew; "" for never.
        period: What it shows at first, back from now.

    Raises:
        ConfigError: there are no panels, the uid is none, or a query selects by a function that PromQL cannot know.
    """
    shown = list(panels)
    if not shown:
        raise ConfigError("panels must be at least one; red_panels(service) makes some")
    uid = f"seawall-{hashlib.sha256(title.encode()).hexdigest()[:12]}" if uid is None else uid
    if not _UID.fullmatch(uid):
        raise ConfigError(f"uid must be 1 to 40 letters, digits, - and _, got {uid!r}; None makes one from the title")
    asking = _Asking(tuple(exposed_label(name) for name in variables), known, native)
    return {
        "uid": uid,
        "title": title,
        "tags": ["seawall"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": refresh,
        "time": {"from": f"now-{period}", "to": "now"},
        "annotations": {"list": []},
        "templating": {"list": [_datasource(), *asking.variables_of(shown[0].queries[0])]},
        "panels": list(_placed(shown, asking)),
    }


@dataclass(frozen=True, slots=True)
class _Asking:
    """How queries are told to Prometheus."""

    variables: tuple[str, ...]
    known: Snapshot | None
    native: bool

    def expression(self, query: Query) -> str:
        also = tuple(f'{name}=~"${name}"' for name in self.variables)
        return promql(query, over="$__rate_interval", known=self.known, native=self.native, also=also)

    def variables_of(self, query: Query) -> Iterator[dict[str, Any]]:
        """A variable for each label, with the values that the first metric has."""
        metric = series_name(query, known=self.known, native=self.native)
        for name in self.variables:
            asked = f"label_values({metric}, {name})"
            yield {
                "name": name,
                "label": name,
                "type": "query",
                "datasource": _SOURCE,
                "query": {"query": asked, "refId": name},
                "includeAll": True,
                "multi": True,
                "allValue": ".*",
                "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
                "options": [],
                "hide": 0,
                "refresh": 2,
                "regex": "",
                "sort": 1,
            }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "options": [],
        "includeAll": False,
        "multi": False,
        "hide": 0,
        "refresh": 1,
        "regex": "",
    }


def _placed(panels: Sequence[Panel], asking: _Asking) -> Iterator[dict[str, Any]]:
    """The panels from left to right and from top to bottom, each row under its heading."""
    x = y = tallest = number = 0
    row = ""
    for panel in panels:
        wide, tall = panel.width * 2, _SHORT if panel.kind == "number" else _TALL
        if panel.row != row:
            row, x, y, tallest = panel.row, 0, y + tallest, 0
            number += 1
            yield _heading(number, row, y)
            y += 1
        elif x + wide > _COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        number += 1
        yield _drawn(panel, asking) | {"id": number, "gridPos": {"h": tall, "w": wide, "x": x, "y": y}}
        x, tallest = x + wide, max(tallest, tall)


def _heading(number: int, row: str, y: int) -> dict[str, Any]:
    place = {"h": 1, "w": _COLUMNS, "x": 0, "y": y}
    return {"id": number, "type": "row", "title": row, "collapsed": False, "panels": [], "gridPos": place}


def _drawn(panel: Panel, asking: _Asking) -> dict[str, Any]:
    return {
        "type": _TYPES[panel.kind],
        "title": panel.title,
        "description": panel.help,
        "datasource": _SOURCE,
        "targets": [_target(place, query, panel, asking) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(place: int, query: Query, panel: Panel, asking: _Asking) -> dict[str, Any]:
    over_time = panel.kind in ("lines", "stacked")
    return {
        "refId": chr(ord("A") + place) if place < 26 else f"A{place}",
        "datasource": _SOURCE,
        "editorMode": "code",
        "expr": asking.expression(query),
        "legendFormat": _legend(query),
        "range": over_time,
        "instant": not over_time,
        "format": "table" if panel.kind == "table" else "time_series",
        "exemplar": query.function == "quantile",
    }


def _legend(query: Query) -> str:
    if not query.legend:
        return " ".join(f"{{{{{exposed_label(label)}}}}}" for label in query.by) or query.selector.name
    text = query.legend
    for label in query.by:
        text = text.replace(f"{{{label}}}", f"{{{{{exposed_label(label)}}}}}")
    return text


def _defaults(panel: Panel) -> dict[str, Any]:
    told: dict[str, Any] = {"unit": _UNITS[panel.unit], "thresholds": {"mode": "absolute", "steps": _steps(panel)}}
    if panel.unit:
        told["min"] = 0
    if _TYPES[panel.kind] == "timeseries":
        stacked = panel.kind == "stacked"
        told["color"] = {"mode": "palette-classic"}
        told["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
        }
    else:
        told["color"] = {"mode": "thresholds"}
    return told


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Colours from the lowest value up: each holds from its value on, the first from below all."""
    rising = sorted(panel.thresholds, key=lambda threshold: threshold.value)
    if not rising or rising[0].worse == "above":
        return [{"color": "green", "value": None}, *({"color": _COLOURS[t.severity], "value": t.value} for t in rising)]
    colours = [*(_COLOURS[threshold.severity] for threshold in rising), "green"]
    values = [None, *(threshold.value for threshold in rising)]
    return [{"color": colour, "value": value} for colour, value in zip(colours, values, strict=True)]


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "number":
        shown = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": shown, "colorMode": "value", "graphMode": "none", "textMode": "auto"}
    if panel.kind == "table":
        return {"showHeader": True}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
