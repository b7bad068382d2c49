"""Panels as a Grafana dashboard: held against Grafana's own models, and every query parsed by promtool."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from tests.prometheus_server import MISSING
from tests.unit.observe.export.snapshots import NASTY, shop

from seawall.errors import ConfigError
from seawall.observe import Matching, Selector, Snapshot
from seawall.observe.export import to_grafana
from seawall.observe.panels import Panel, Query, Threshold, guard_panels, red_panels, resource_panels, use_panels
from seawall.observe.signals import Busy, Resource, Service, Share

register_default_plugins()

SERVICE = Service(
    name="shop",
    requests="http_requests",
    errors=Selector("http_requests", code=Matching("5..")),
    duration=Selector("http_request", route=("/a", "/b.c")),
    failed_duration="http_failed_seconds",
    saturation="pool_used_ratio",
)
PANELS = [
    *red_panels(SERVICE, by="route", slow=0.5),
    *guard_panels(),
    *resource_panels(),
    *use_panels(
        Resource(name="cpu", utilisation=Busy("cpu_seconds"), saturation="run_queue"),
        Resource(name="pool", utilisation=Share("taken", "size"), errors="pool_errors"),
    ),
    Panel("Now", "number", (Query(Selector("up", route=NASTY), "value", across="min"),), width=2),
    Panel("Mean", "table", (Query("http_request", "mean", by=("http.route",), legend="of {http.route}"),)),
    Panel("All", "stacked", tuple(Query(f"m{n}", "increase") for n in range(30)), "count", width=12),
]


def lost(told: Any, kept: Any, path: str = "") -> list[str]:
    """Where a model keeps less than it was told."""
    if isinstance(told, dict) and isinstance(kept, dict):
        gone = [f"{path}/{key}" for key in told if key not in kept]
        return gone + [each for key in told if key in kept for each in lost(told[key], kept[key], f"{path}/{key}")]
    if isinstance(told, list) and isinstance(kept, list) and len(told) == len(kept):
        return [each for n, (a, b) in enumerate(zip(told, kept, strict=True)) for each in lost(a, b, f"{path}/{n}")]
    return [] if told == kept else [path]


@pytest.mark.parametrize("options", [{}, {"known": shop(), "native": True, "variables": ("job", "instance")}])
def test_grafana_knows_every_key(options: Any) -> None:
    """Read into Grafana's own models and written again, nothing of a dashboard is lost."""
    told = json.loads(json.dumps(to_grafana(PANELS, **options)))
    kept = json.loads(json.dumps(Dashboard.from_json(told), cls=JSONEncoder))
    assert lost(told, kept) == []
    assert lost(told | {"panells": []}, kept) == ["/panells"]


def test_panels_are_side_by_side_and_never_on_each_other() -> None:
    """Ids differ, no place is taken twice, none is beyond the page, and each row has its heading above it."""
    panels = to_grafana(PANELS)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        wide, tall = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        mine = set(itertools.product(wide, tall))
        assert cells.isdisjoint(mine)
        cells |= mine
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "shop",
        "Guards",
        "Resources",
        "cpu",
        "pool",
        "",
    ]
    drawn = [panel for panel in panels if panel["type"] != "row"]
    assert [panel["title"] for panel in drawn] == [panel.title for panel in PANELS]
    assert all(len({target["refId"] for target in p["targets"]}) == len(p["targets"]) for p in drawn)


@pytest.mark.skipif(shutil.which("promtool") is None, reason=MISSING)
@pytest.mark.parametrize("native", [False, True])
def test_promtool_parses_every_query(tmp_path: Path, native: bool) -> None:
    """Each expression is PromQL; a broken one would be found."""
    panels = to_grafana(PANELS, known=shop(), native=native)["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(expressions) >= len(PANELS)
    filled = [text.replace("$__rate_interval", "1m").replace("$job", "a|b") for text in expressions]
    assert complaint(tmp_path, filled) == ""
    assert "parse error: unexpected" in complaint(tmp_path, ["sum by (rate(a[1m]))"])


def complaint(folder: Path, expressions: list[str]) -> str:
    """What promtool finds wrong with rules of these expressions."""
    rules = [{"record": f"r{number}", "expr": text} for number, text in enumerate(expressions)]
    file = folder / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}, ensure_ascii=False))
    command = [shutil.which("promtool") or "", "check", "rules", "--lint=none", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


def test_queries_are_narrowed_by_variables() -> None:
    """Each label that may be chosen is a variable and a matcher, filled from the first metric."""
    told = to_grafana(red_panels(SERVICE), variables=("job", "instance"))
    assert [each["name"] for each in told["templating"]["list"]] == ["datasource", "job", "instance"]
    assert told["templating"]["list"][2]["query"]["query"] == "label_values(http_requests_total, instance)"
    assert told["panels"][1]["targets"][0]["expr"] == (
        'sum (rate(http_requests_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))'
    )
    alone = to_grafana([Panel("p50", "lines", (Query("http_request", "quantile", q=0.5),))], known=shop())
    assert alone["templating"]["list"][1]["query"]["query"] == "label_values(http_request_seconds_count, job)"


@pytest.mark.parametrize(
    ("thresholds", "steps"),
    [
        ((), [("green", None)]),
        ((Threshold(9, "critical"), Threshold(5)), [("green", None), ("orange", 5), ("red", 9)]),
        (
            (Threshold(0.99, worse="below"), Threshold(0.9, "critical", worse="below")),
            [("red", None), ("orange", 0.9), ("green", 0.99)],
        ),
    ],
)
def test_thresholds_are_colours_from_below(thresholds: Any, steps: Any) -> None:
    """Worse above begins green, worse below ends green."""
    (panel,) = to_grafana([Panel("p", "number", (Query("a", "value"),), "", thresholds)])["panels"]
    told = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["color"], step["value"]) for step in told] == steps


def test_a_dashboard_keeps_its_uid() -> None:
    """The same title gives the same uid, so that an import replaces and links last."""
    panels = red_panels(SERVICE)
    assert to_grafana(panels, title="Shop")["uid"] == to_grafana(panels, title="Shop")["uid"]
    assert to_grafana(panels, title="Shop")["uid"] != to_grafana(panels, title="Bank")["uid"]
    assert to_grafana(panels, uid="mine")["uid"] == "mine"
    with pytest.raises(ConfigError) as told:
        to_grafana(panels, uid="no spaces")
    assert str(told.value) == (
        "uid must be 1 to 40 letters, digits, - and _, got 'no spaces'; None makes one from the title"
    )


def test_nothing_to_show_is_refused() -> None:
    """An empty dashboard is a mistake."""
    with pytest.raises(ConfigError) as told:
        to_grafana([], known=Snapshot(0.0))
    assert str(told.value) == "panels must be at least one; red_panels(service) makes some"
