"""Alerts on the metrics of a service, as they are counted."""

from __future__ import annotations

from seawall.clock import ManualClock
from seawall.observe import Selector
from seawall.observe.alerts import Alerts, Call, Quantile, Ratio, Route, Rule, Slo
from seawall.observe.metrics import Metrics


def test_from_a_counter_to_somebody_who_knows():
    """`metrics.snapshot` is all that alerts need: a ratio, a quantile and an objective fire, by route."""
    clock, told = ManualClock(1_000), []
    metrics = Metrics(clock=clock)
    requests = metrics.counter("http_requests_total", "Requests.", labels=("route", "code"))
    seconds = metrics.histogram("http_request_seconds", "Their time.")
    failed = Selector("http_requests", code=lambda code: code.startswith("5"))
    rules = [
        Rule("Errors", Ratio(failed, "http_requests", over=300), above=0.05, by="route"),
        Rule("Slow", Quantile("http_request_seconds", 0.99, over=300), above=0.5),
        *Slo("web", 0.999, bad=failed, total="http_requests").rules(),
    ]
    channels = {"me": Call(lambda m: told.extend(a.labels for a in m.notification.alerts))}
    alerts = Alerts(metrics.snapshot, rules, channels=channels, route=Route("me", group_wait=0), clock=clock)
    for _ in range(300):
        for route, code in (("/a", "200"), ("/b", "200"), ("/b", "503")):
            requests.labels(route, code).inc()
        seconds.observe(0.9)
        clock.advance(1)
        alerts.evaluate()
    alerts.deliver()
    assert alerts.stats().errors == {}
    assert {(labels["alertname"], labels["severity"], labels.get("route", "")) for labels in told} == {
        ("Errors", "warning", "/b"),
        ("Slow", "warning", ""),
        ("SloBurn web", "page", ""),
    }  # a third failing for five minutes pages; it has not yet cost a tenth of the month's budget
