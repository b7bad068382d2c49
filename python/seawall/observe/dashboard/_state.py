"""All that a dashboard shows at one moment, as plain data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from seawall.observe._recording import Recording
from seawall.observe.dashboard._plot import Plot
from seawall.observe.dashboard._rows import Sections
from seawall.observe.panels import Panel

_LOG = logging.getLogger("seawall")
_MOST_ROWS = 200
SPANS = (300.0, 3_600.0, 21_600.0, 259_200.0)
"""Five minutes, an hour, six hours, three days."""


class View:
    """The state over one span, for all who look at it.

    Args:
        recording: What metrics are read from.
        panels: Says what is drawn of them now.
        sections: Where the rest comes from.
        span: Seconds.
    """

    def __init__(
        self, recording: Recording, panels: Callable[[], Sequence[Panel]], sections: Sections, span: float
    ) -> None:
        self._recording = recording
        self._panels = panels
        self._sections = sections
        self.span = span
        self._plots: dict[Panel, list[Plot]] = {}

    def state(self, since: float | None = None) -> dict[str, Any]:
        """What is to be shown; of lines the points after `since`, or all."""
        panels = self._panels()
        # What is no longer drawn is forgotten.
        self._plots = {panel: self._plots.get(panel) or self._planned(panel) for panel in panels}
        for plots in self._plots.values():
            for plot in plots:
                plot.update(self._recording)
        latest = self._recording.latest
        rows = {name: _rows(name, give) for name, give in self._sections._asdict().items() if name != "flame"}
        return {
            "at": None if latest is None else round(latest.at, 3),
            "since": since,
            "span": self.span,
            "overall": overall(rows),
            **rows,
            "flame": self._sections.flame is not None,
            "panels": [self._panel(panel, since) for panel in panels],
        }

    def _planned(self, panel: Panel) -> list[Plot]:
        return [Plot(query, self.span) for query in panel.queries]

    def _panel(self, panel: Panel, since: float | None) -> dict[str, Any]:
        window = self._recording.window(min(self.span, 60.0))
        lines: list[dict[str, object]] = []
        others = 0
        for plot in self._plots[panel]:
            some, more = plot.lines(since)
            lines += some
            others += more
        answers = (value for query in panel.queries for value in query.read(window).values())
        levels = [panel.severity(value) for value in answers if value is not None]
        worst = "bad" if "critical" in levels else "warning" if "warning" in levels else "good"
        return {
            "title": panel.title, "row": panel.row, "kind": panel.kind, "unit": panel.unit, "help": panel.help,
            "width": panel.width, "level": worst,
            "limits": [[limit.value, limit.severity] for limit in panel.thresholds],
            "lines": lines, "others": others,
        }  # fmt: skip


def _rows(name: str, give: Callable[[], Iterable[Any]] | None) -> list[dict[str, Any]] | None:
    if give is None:
        return None
    try:
        return [_plain(row) for _, row in zip(range(_MOST_ROWS), give(), strict=False)]
    except Exception:  # noqa: BLE001 - told on the page and in the log
        # A page that shows what went wrong elsewhere must not fail with it.
        _LOG.exception("the section %r of the dashboard cannot be shown", name)
        return [{"failed": f"{name} cannot be shown; the log says why"}]


def _plain(row: Any) -> Any:
    if hasattr(row, "_asdict"):
        return {key: _plain(value) for key, value in row._asdict().items()}
    return [_plain(one) for one in row] if isinstance(row, tuple) else row


def overall(rows: dict[str, list[dict[str, Any]] | None]) -> dict[str, str]:
    """The worst of health, alerts and budgets, in a level and a sentence."""
    failed = [row["name"] for row in rows.get("health") or () if row.get("level") == "bad" and row.get("critical")]
    firing = [row["name"] for row in rows.get("alerts") or () if row.get("state") == "firing"]
    spent = [row["name"] for row in rows.get("budgets") or () if row.get("left") is not None and row["left"] <= 0]
    weak = [row["name"] for row in rows.get("health") or () if row.get("level") in ("bad", "warning")]
    open_ = [row["name"] for row in rows.get("guards") or () if row.get("level") in ("bad", "warning")]
    for level, word, names in (
        ("bad", "failing", failed), ("bad", "alerting", firing), ("bad", "out of error budget", spent),
        ("warning", "degraded", weak), ("warning", "guarded", open_),
    ):  # fmt: skip
        if names:
            return {"level": level, "word": word, "names": ", ".join(sorted(set(names))[:5])}
    known = any(rows.get(name) is not None for name in ("health", "alerts", "budgets", "guards"))
    return {"level": "good" if known else "unknown", "word": "healthy" if known else "running", "names": ""}
