"""What is kept when an alert fires."""

from __future__ import annotations

import json
import threading

from tests.alerts_world import gauges

from seawall.clock import ManualClock
from seawall.observe import Recording
from seawall.observe.alerts import Alert, Alerts, Call, Evidence, Route, Rule, Value, metrics_of

ALERT = Alert({"alertname": "Deep/../x", "severity": "page"}, {}, 1_000_000.0)
SOON = 20.0


def manifest(place):
    """What the manifest says of each provider."""
    return json.loads((place / "manifest.json").read_text())["evidence"]


def test_a_bundle_has_everything_and_says_what_it_lacks(tmp_path):
    """Files under safe names; who fails, hangs or brings too much is noted; the others are kept."""
    gate = threading.Event()
    recording = Recording()
    recording.append(gauges(1.0, {"a": 1}))
    providers = {
        "metrics": metrics_of(recording),
        "broken": lambda alert: 1 / 0,
        "hanging": lambda alert: gate.wait(SOON),
        "sly": lambda alert: ("../../etc/manifest.json", b"x"),
        "same": lambda alert: ("manifest.json", b"y"),
        "large": lambda alert: ("large.bin", bytes(2_000)),
        "wrong": lambda alert: None,
    }
    evidence = Evidence(tmp_path, providers, timeout=0.2, max_bytes=1_000)
    place = evidence.gather(ALERT)
    assert place.name == "1970-01-12T134640-000Z-Deep-x-" + ALERT.fingerprint
    size = (place / "metrics.jsonl").stat().st_size
    assert manifest(place) == [
        {"provider": "metrics", "file": "metrics.jsonl", "bytes": size},
        {"provider": "broken", "error": "ZeroDivisionError: division by zero"},
        {"provider": "hanging", "error": "it did not return within 0.2 s"},
        {"provider": "sly", "file": "1-manifest.json", "bytes": 1},
        {"provider": "same", "file": "1-1-manifest.json", "bytes": 1},
        {"provider": "large", "error": f"2,000 bytes do not fit into the {1_000 - size - 2} that are left"},
        {"provider": "wrong", "error": "TypeError: cannot unpack non-iterable NoneType object"},
    ]
    assert Recording.load(place / "metrics.jsonl").latest == recording.latest
    again = evidence.gather(ALERT)
    assert manifest(again)[2] == {"provider": "hanging", "error": "it still works on an earlier alert"}
    assert evidence.bundles() == (place,)
    gate.set()


def test_the_oldest_bundles_go(tmp_path):
    """So many are kept, and no half ones are left."""
    evidence = Evidence(tmp_path, {"text": lambda alert: ("a.txt", b"x")}, most=3)
    places = [evidence.gather(Alert({"alertname": f"A{n}"}, {}, 1_000_000.0 + n)) for n in range(5)]
    assert evidence.bundles() == tuple(places[2:])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(place.name for place in places[2:])


def test_the_notification_says_where_it_is(tmp_path):
    """Collected in the background when the alert fires, linked from what is told, also when it has resolved."""
    told, recording, clock = [], Recording(), ManualClock(1_000_000)
    evidence = Evidence(
        tmp_path, {"metrics": metrics_of(recording)}, severities=("page",), link="https://ops/evidence/"
    )
    rules = [Rule("Deep", Value("depth"), above=80, severity="page"), Rule("Less", Value("depth"), above=70)]
    route = Route("me", group_wait=0, group_interval=1)
    alerts = Alerts(recording, rules, channels={"me": Call(told.append)}, route=route, clock=clock, evidence=evidence)
    for depth in (90, 10):
        clock.advance(1)
        recording.append(gauges(clock.time(), {"a": depth}))
        alerts.evaluate()
    alerts.deliver()
    assert evidence.stop(SOON)
    (place,) = evidence.bundles()
    links = {(a.name, a.status): a.annotations.get("evidence") for m in told for a in m.notification.alerts}
    where = f"https://ops/evidence/{place.name}"
    assert links == {
        ("Deep", "firing"): where, ("Deep", "resolved"): where, ("Less", "firing"): None, ("Less", "resolved"): None,
    }  # fmt: skip


def test_what_waits_for_evidence_is_bounded(tmp_path):
    """A provider that hangs: alerts beyond a hundred get none, and that is counted."""
    gate, entered = threading.Event(), threading.Event()

    def hang(alert):
        entered.set()
        gate.wait(SOON)
        return "a", b""

    evidence = Evidence(tmp_path, {"hanging": hang}, timeout=SOON)
    evidence.collect(ALERT)
    assert entered.wait(SOON)
    for _ in range(105):
        evidence.collect(ALERT)
    assert evidence.dropped == 5
    while not evidence._queue.empty():
        evidence._queue.get()
    gate.set()
    assert evidence.stop(SOON)
