"""Metrics scraped by a real Prometheus, and checked by promtool."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from tests.ports import free_ports
from tests.prometheus_server import MISSING, PrometheusServer, installed
from tests.unit.observe.export.snapshots import NASTY, shop

from seawall.observe import Distribution
from seawall.observe.export import metrics_app, metrics_wsgi, to_prometheus

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

CLOCK_OF_EXEMPLARS = 1_699_999_999
TOKEN = "s3cret-of-the-scraper"


class Quiet(WSGIRequestHandler):
    """Keeps no log."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def wsgi_port() -> Iterator[int]:
    """The WSGI app behind a token, served in a thread."""
    (port,) = free_ports(1)
    server: WSGIServer = make_server("127.0.0.1", port, metrics_wsgi(shop(), token=TOKEN), handler_class=Quiet)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def asgi_port() -> Iterator[int]:
    """The ASGI app, served by hypercorn in a thread."""
    (port,) = free_ports(1)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    served = serve(metrics_app(shop()), config, shutdown_trigger=ended.wait)  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: loop.run_until_complete(served))
    thread.start()
    yield port
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, wsgi_port: int, asgi_port: int) -> Iterator[PrometheusServer]:
    """A Prometheus that has scraped both apps, and one without the token in vain."""
    key = {"type": "Bearer", "credentials": TOKEN}
    ports = {"wsgi": wsgi_port, "asgi": asgi_port, "stranger": wsgi_port}
    jobs: list[dict[str, Any]] = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for name, port in ports.items()
    ]
    jobs[0]["authorization"] = key
    server = PrometheusServer(tmp_path_factory.mktemp("prometheus"), jobs)
    server.start()
    try:
        server.until(lambda: len(server.query("up == 1")) == 2 and len(server.query("up == 0")) == 1)
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("job", ["wsgi", "asgi"])
def test_values_are_exact_and_labels_whole(prometheus: PrometheusServer, job: str) -> None:
    """What Prometheus has of counters and gauges is the snapshot, quotes, newlines and emoji included."""
    found = prometheus.query(f'http_requests_total{{job="{job}"}}')
    assert {(labels["code"], labels["route"]): value for labels, value in found} == {
        ("200", "/a"): "90",
        ("500", NASTY): "10",
    }
    assert [value for _, value in prometheus.query(f'pool_used_ratio{{job="{job}"}}')] == ["0.25"]
    places = prometheus.query(f'temperature{{job="{job}"}}')
    assert {labels["place"]: value for labels, value in places} == {"out": "-7.5", "in": "+Inf"}


def test_a_scraper_without_the_token_gets_nothing(prometheus: PrometheusServer) -> None:
    """The target without credentials is down, with 401 as the reason."""
    targets = prometheus.get("/api/v1/targets")["activeTargets"]
    (stranger,) = (target for target in targets if target["labels"]["job"] == "stranger")
    assert stranger["lastError"] == "server returned HTTP status 401 Unauthorized"
    assert prometheus.query('http_requests_total{job="stranger"}') == []


def test_histograms_are_native(prometheus: PrometheusServer) -> None:
    """Prometheus takes the native histogram: its count, its sum, and quantiles within a bucket."""
    (found,) = prometheus.query('http_request_seconds{job="asgi"}')
    assert (found[0]["route"], found[1]["count"], found[1]["sum"]) == ("/a", "5", "33.333")
    held = shop().families[1].samples[0].value
    assert isinstance(held, Distribution)
    for q in (0.2, 0.4, 0.6, 0.8, 1.0):
        ((_, value),) = prometheus.query(f'histogram_quantile({q}, http_request_seconds{{job="asgi"}})')
        assert float(value) == pytest.approx(held.quantile(q), rel=0.0027 + 0.001)


def test_exemplars_lead_to_traces(prometheus: PrometheusServer) -> None:
    """Prometheus keeps the exemplar of the histogram, and that of the counter."""
    end = str(CLOCK_OF_EXEMPLARS + 60)
    for name, value in (("http_request_seconds", "0.3"), ("http_requests_total", "1")):
        found = prometheus.get(
            "/api/v1/query_exemplars", query=f'{name}{{job="asgi"}}', start=str(CLOCK_OF_EXEMPLARS - 60), end=end
        )
        told = {(each["labels"]["trace_id"], each["value"]) for series in found for each in series["exemplars"]}
        assert told == {("4bf92f3577b34da6a3ce929d0e0e4736", value)}


def test_promtool_finds_the_text_well_formed() -> None:
    """`promtool check metrics` has no complaint but of missing help, which is the user's."""
    text = to_prometheus(shop())
    done = subprocess.run(
        [shutil.which("promtool") or "", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines() + done.stdout.splitlines() == ["temperature no help text"], json.dumps(text)
