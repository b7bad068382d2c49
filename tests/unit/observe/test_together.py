"""One service, seen with everything at once: what one part learns, the others show."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from seawall import CircuitBreaker
from seawall.clock import ManualClock
from seawall.monitor.health import Health, health_rows
from seawall.observe import Alerts, Dashboard, Metrics, Profiler, Recorder, Selector, Tracer
from seawall.observe.alerts import Call, Evidence, Ratio, Rule, Slo, logs_of, metrics_of, profile_of, traces_of
from seawall.observe.dashboard import Sections, alert_rows, budget_rows, guard_rows, trace_rows
from seawall.observe.logs import StoreHandler
from seawall.observe.panels import red_panels
from seawall.observe.signals import Service

FAILED = Selector("http_requests", code="503")


class Shop:
    """A service whose payments fail from some moment on."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock(1_000_000.0)
        self.metrics = Metrics(clock=self.clock)
        self.payments = CircuitBreaker("payments", failure_ratio=0.5, min_calls=10, clock=self.clock)
        self.metrics.instrument(self.payments)
        self.requests = self.metrics.counter("http_requests", "Answered.", labels=("code",))
        self.duration = self.metrics.histogram("http_request_seconds", "Time to answer.")
        self.tracer = Tracer("shop", clock=self.clock, wall=self.clock)
        self.log = logging.getLogger(f"shop.{id(self)}")
        self.log.handlers = [StoreHandler(self.tracer.store)]
        self.log.propagate = False
        self.recorder = Recorder(self.metrics.snapshot, clock=self.clock)
        self.slo = Slo("orders answer", objective=0.999, bad=FAILED, total="http_requests")
        self.told: list[Any] = []
        store = self.tracer.store
        self.evidence = Evidence(
            directory,
            {
                "metrics": metrics_of(self.recorder.recording),
                "traces": traces_of(store),
                "logs": logs_of(store),
                "profile": profile_of(Profiler(), 0.05),
            },
        )
        self.alerts = Alerts(
            self.recorder.recording,
            [
                Rule("Failing", Ratio(FAILED, "http_requests", over=60), above=0.05, severity="page"),
                *self.slo.rules(),
            ],
            channels={"list": Call(self.told.append)},
            clock=self.clock,
        )
        self.health = Health(clock=self.clock)
        self.health.add("payments", lambda: self.payments.state == "closed", critical=False)

    def serve(self, seconds: int, *, broken: bool) -> None:
        """Ten requests a second."""
        for _ in range(seconds):
            for _ in range(10):
                self._one(broken)
            self.clock.advance(1)
            self.recorder.record()
            self.alerts.evaluate()

    def _one(self, broken: bool) -> None:
        with self.tracer.span("POST /orders") as span:
            try:
                self.payments.call(self._pay, broken)
            except Exception as error:  # noqa: BLE001 - what a service does with what it cannot help
                self.log.warning("no payment: %s", error)
                span.record(error)
                span.fail(str(error))
                self.requests.labels("503").inc()
            else:
                self.requests.labels("200").inc()
            self.duration.observe(0.02, exemplar={"trace_id": span.trace_id})

    def _pay(self, broken: bool) -> None:
        if broken:
            raise OSError("payments do not answer")

    def dashboard(self) -> Dashboard:
        """All of it on a page."""
        recording, store = self.recorder.recording, self.tracer.store
        service = Service(name="Shop", requests="http_requests", errors=FAILED, duration="http_request_seconds")
        return Dashboard(
            recording,
            red_panels(service),
            sections=Sections(
                guards=lambda: guard_rows(recording.latest),
                alerts=lambda: alert_rows(self.alerts),
                budgets=lambda: budget_rows(recording, [self.slo]),
                health=lambda: health_rows(self.health),
                traces=lambda: trace_rows(store),
            ),
            clock=self.clock,
        )


def state_of(dashboard: Dashboard) -> Any:
    """What its page would be told now."""
    return asyncio.run(dashboard.views.state(300.0))


def test_a_service_in_trouble_is_seen_everywhere(tmp_path: Path):
    """Guards, alerts, budgets, health, traces, logs, exemplars and evidence tell the same story."""
    shop = Shop(tmp_path / "evidence")
    shop.serve(120, broken=False)
    shop.health.ask("ready")
    page = shop.dashboard()
    well = state_of(page)
    assert well["overall"] == {"level": "good", "word": "healthy", "names": ""}
    assert [row["state"] for row in well["guards"]] == ["closed"]
    assert (well["alerts"], well["budgets"][0]["left"]) == ([], 1.0)

    shop.serve(60, broken=True)
    shop.clock.advance(5)
    shop.health.ask("ready")
    ill = state_of(page)
    assert ill["overall"]["word"] in ("alerting", "failing")
    assert [row["state"] for row in ill["guards"]] == ["open"]
    assert "Failing" in {row["name"] for row in ill["alerts"] if row["state"] == "firing"}
    assert ill["budgets"][0]["left"] < 1.0
    assert ill["budgets"][0]["burn"] > 14.4
    assert ill["health"][0]["level"] in ("bad", "warning", "unknown")
    failed = next(row for row in ill["traces"] if row["failed"])
    assert failed["name"] == "POST /orders"

    found = shop.tracer.store.trace(failed["trace_id"], snapshot=shop.metrics.snapshot())
    assert found is not None
    assert "no payment" in found.logs[0].message

    alert = next(iter(shop.alerts.active()))
    place = shop.evidence.gather(_alert_of(alert))
    files = {path.name: path.read_bytes() for path in place.iterdir()}
    assert set(files) == {"manifest.json", "metrics.jsonl", "traces.jsonl", "logs.jsonl", "profile.html"}
    assert b"payments do not answer" in files["logs.jsonl"]
    assert any(json.loads(line)["failed"] for line in files["traces.jsonl"].splitlines())
    assert files["profile.html"].startswith(b"<!doctype html>")
    assert files["metrics.jsonl"].count(b"\n") > 100
    shop.alerts.stop()
    shop.log.handlers = []  # loggers live for ever, and so would all that they keep


def _alert_of(active: Any) -> Any:
    from seawall.observe.alerts import Alert

    return Alert({"alertname": active.rule, **active.labels})
