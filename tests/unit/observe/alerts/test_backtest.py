"""What rules would have done over a recording."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from tests.alerts_world import World, gauges

from seawall.errors import ConfigError
from seawall.observe import Recording
from seawall.observe.alerts import Matcher, Measure, Route, Rule, Silence, Value, backtest

DEPTHS = [10, 90, 90, 90, 90, 10, 10, 90, 10, 90, 90, 90, 90, 90]
RULES = [
    Rule("Deep", Value("depth"), above=80, for_=30, by="queue"),
    Rule("Full", Value("depth"), above=100, severity="page"),
]


def recording() -> Recording:
    """A look every 15 s."""
    made = Recording()
    for place, depth in enumerate(DEPTHS):
        made.append(gauges(1_000_000.0 + 15 * place, {"a<b>": depth}))
    return made


def test_the_table():
    """A line for each time an alert was pending, one for each rule that never was."""
    assert backtest(RULES, recording()).table() == (
        "rule  severity  group       pending at                fired after  fired for  value\n"
        "Deep  warning   queue=a<b>  1970-01-12T13:46:55.000Z  30s          30s        90\n"
        "Deep  warning   queue=a<b>  1970-01-12T13:48:25.000Z  never                   90\n"
        "Deep  warning   queue=a<b>  1970-01-12T13:48:55.000Z  30s          30s+       90\n"
        "Full                        never"
    )


def test_it_is_what_alerts_do_live():
    """The same transitions and notifications as a run of Alerts over the same data, look by look."""
    world = World(RULES, route=Route("hook", group_wait=0, group_interval=60))
    world.look({"a": DEPTHS[0]})
    for depth in DEPTHS[1:]:
        world.pass_by(15, {"a": depth})
    report = backtest(RULES, world.recording, route=Route("hook", group_wait=0, group_interval=60))
    told = [m.notification for m in world.told]
    assert report.notifications == tuple(told)
    moves = {(moved.move, moved.at) for moved in world.alerts.history}
    again = {("firing", e.fired_at) for e in report.fired} | {("pending", e.pending_at) for e in report.episodes}
    assert again == {move for move in moves if move[0] in ("firing", "pending")}


def test_from_a_file_at_an_interval_and_in_part(tmp_path):
    """A path will do; `every` looks more or less often than was recorded; begin and end cut."""
    recording().save(tmp_path / "run.jsonl")
    report = backtest(RULES, tmp_path / "run.jsonl", every=7.5, end=1_000_080.0)
    assert [(e.pending_at, e.fired_at, e.ended_at) for e in report.episodes] == [(1_000_015, 1_000_045, 1_000_075)]
    late = backtest(RULES, recording(), begin=1_000_090.0)
    assert [episode.pending_at for episode in late.episodes] == [1_000_105, 1_000_135]
    assert repr(late) == "<BacktestReport over 1m45s: 2 episodes, 1 fired, 1 notifications>"
    assert late.to_dict()["episodes"][0]["labels"] == {"queue": "a<b>", "alertname": "Deep", "severity": "warning"}
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match=r"line 1 of .* is no snapshot"):
        backtest(RULES, tmp_path / "bad.jsonl")
    with pytest.raises(ConfigError, match=r"^a back-test needs a recording with at least one snapshot, got none$"):
        backtest(RULES, [])


def test_silences_and_errors():
    """Silences keep from being told, not from firing; a rule that cannot be read is in the report."""
    quiet = Silence((Matcher("alertname", "=", "Deep"),), 0.0, 2e6, "ann", "x")
    report = backtest([RULES[0], Rule("Own", Measure(lambda _: 1 / 0), above=0)], recording(), silences=[quiet])
    assert len(report.fired) == 2
    assert {alert.name for told in report.notifications for alert in told.alerts} == {"SeawallRuleFailing"}
    assert report.errors == {"Own/warning": "ZeroDivisionError: division by zero"}


def test_the_timeline():
    """One SVG that is well-formed, a row for each alert, its bars where they belong; labels are escaped."""
    report = backtest(RULES, recording())
    root = ElementTree.fromstring(report.svg())
    bars = [(e.get("class"), float(e.get("x")), float(e.get("width"))) for e in root.iter() if e.tag.endswith("rect")]
    assert [kind for kind, _, _ in bars] == ["p", "f", "p", "p", "f"]
    assert bars[0][1] == pytest.approx(260 + 15 * 630 / 195, abs=0.1)
    assert bars[1][1] == pytest.approx(bars[0][1] + bars[0][2], abs=0.2)
    page = report.html()
    assert "a<b>" not in page
    assert "a&lt;b&gt;" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)  # it needs nothing from elsewhere
    assert "nothing moved" in backtest(RULES[1:], recording()).svg()
