"""OTLP metrics: the message, and a real collector on the loopback that fails in between."""

from __future__ import annotations

import gzip
import math
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from tests.ports import free_ports
from tests.unit.observe.export.snapshots import NASTY, distribution, labels, shop, snapshots

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.retry import Constant
from seawall.observe import Distribution, Family, Sample, Snapshot
from seawall.observe.export import Otlp, to_otlp


class Collector:
    """Takes exports as a collector does, or answers with what a test wants."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        self.headers: list[Any] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Decode a request, keep it where it is taken, and answer."""
        body = handler.rfile.read(int(handler.headers["content-length"]))
        assert (handler.path, handler.headers["content-type"]) == ("/v1/metrics", "application/x-protobuf")
        status, headers, answer = self.answers.pop(0) if self.answers else (200, {}, b"")
        if status == 200:
            self.requests.append(ExportMetricsServiceRequest.FromString(gzip.decompress(body)))
            self.headers.append(handler.headers)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def stop(self) -> None:
        """No longer."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def counts(self) -> list[float]:
        """The counter of each snapshot that was taken, in the order in which they came."""
        return [points(request, "calls")[0].as_double for request in self.requests]


@pytest.fixture
def collect() -> Iterator[Callable[..., Collector]]:
    """Starts collectors; they end with the test."""
    made: list[Collector] = []

    def start(port: int, **options: Any) -> Collector:
        made.append(Collector(port, **options))
        return made[-1]

    yield start
    for collector in made:
        collector.stop()


def metrics_of(request: Any) -> dict[str, Any]:
    """The metrics of a request, by name."""
    return {metric.name: metric for metric in request.resource_metrics[0].scope_metrics[0].metrics}


def points(request: Any, name: str) -> Any:
    """The points of a counter."""
    return metrics_of(request)[name].sum.data_points


def counting() -> Callable[[], Snapshot]:
    """A source that has counted to 1, 2, 3, ... at seconds 1, 2, 3, ..."""
    numbers = iter(range(1, 1_000))

    def source() -> Snapshot:
        number = next(numbers)
        return Snapshot(float(number), (Family("calls", "counter", (Sample((), float(number)),)),))

    return source


def attributes(point: Any) -> dict[str, str]:
    """The attributes of a point."""
    return {each.key: each.value.string_value for each in point.attributes}


def test_the_message_is_the_snapshot() -> None:
    """Kinds, units, attributes, values, times and trace ids are as the data model wants them."""
    request = to_otlp(shop(), resource={"service.name": "shop"})
    assert attributes(request.resource_metrics[0].resource) == {"service.name": "shop"}
    metrics = metrics_of(ExportMetricsServiceRequest.FromString(request.SerializeToString()))
    assert {name: (metric.WhichOneof("data"), metric.unit) for name, metric in metrics.items()} == {
        "http_requests": ("sum", ""),
        "http_request": ("exponential_histogram", "s"),
        "pool_used_ratio": ("gauge", "1"),
        "temperature": ("gauge", ""),
    }
    good, bad = metrics["http_requests"].sum.data_points
    assert metrics["http_requests"].sum.is_monotonic
    assert (good.as_double, attributes(bad)) == (90.0, {"code": "500", "route": NASTY})
    assert good.exemplars[0].trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert good.exemplars[0].span_id.hex() == "00f067aa0ba902b7"
    assert not good.exemplars[0].filtered_attributes
    assert (good.time_unix_nano, good.start_time_unix_nano) == (1_700_000_000 * 10**9, 1_700_000_000 * 10**9)
    assert [point.as_double for point in metrics["temperature"].gauge.data_points] == [-7.5, math.inf]
    assert metrics["temperature"].gauge.data_points[0].start_time_unix_nano == 0
    (took,) = metrics["http_request"].exponential_histogram.data_points
    assert (took.count, took.sum, took.exemplars[0].as_double) == (5, pytest.approx(33.333), 0.3)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 3600), min_size=1, max_size=100), st.integers(1, 3), st.sampled_from([0.1, 0.5, 0.99]))
def test_a_quantile_of_a_point_is_as_near_as_stated(values: list[float], digits: int, q: float) -> None:
    """Nothing is lost in at most 160 buckets, and a quantile is off by one of them and one of ours at most."""
    held = distribution(values, digits=digits)
    request = to_otlp(Snapshot(0.0, (Family("h", "histogram", (Sample((), held),)),)))
    (point,) = metrics_of(request)["h"].exponential_histogram.data_points
    counts = list(point.positive.bucket_counts)
    assert point.count == point.zero_count + sum(counts) == len(values)
    assert len(counts) <= 160
    base = 2**2.0**-point.scale
    rank, reached, bound = max(1, math.ceil(q * len(values))), point.zero_count, point.zero_threshold
    for place, count in enumerate(counts):
        if reached >= rank:
            break
        reached += count
        bound = base ** (point.positive.offset + place + 1)
    assert held.quantile(q) == pytest.approx(bound, rel=base - 1 + 10.0**-digits, abs=point.zero_threshold)


@settings(max_examples=40)
@given(snapshots())
def test_any_snapshot_is_a_message(snapshot: Snapshot) -> None:
    """Any texts and numbers are taken, and read back."""
    request = ExportMetricsServiceRequest.FromString(to_otlp(snapshot).SerializeToString())
    for family, metric in zip(snapshot.families, metrics_of(request).values(), strict=True):
        told = getattr(metric, metric.WhichOneof("data")).data_points
        assert [attributes(point) for point in told] == [dict(sample.labels) for sample in family.samples]
        for point, sample in zip(told, family.samples, strict=True):
            if not isinstance(sample.value, Distribution):
                assert point.as_double == sample.value


def test_a_collector_gets_what_the_source_has(collect: Callable[..., Collector]) -> None:
    """Snapshots come one by one, with the headers that were asked for, and say since when they count."""
    (port,) = free_ports(1)
    collector = collect(port)
    otlp = Otlp(f"http://127.0.0.1:{port}", counting(), headers={"x-api-key": "s3cret"})
    for _ in range(2):
        otlp.push()
    assert collector.counts() == [1.0, 2.0]
    assert [points(r, "calls")[0].start_time_unix_nano for r in collector.requests] == [10**9, 10**9]
    assert collector.headers[0]["x-api-key"] == "s3cret"
    assert otlp.stats()[:6] == (2, 0, 0, 0, 0, 2)
    assert "s3cret" not in repr(otlp)


def test_a_collector_that_is_away_gets_all_later(collect: Callable[..., Collector]) -> None:
    """What could not be sent waits, is tried again after the backoff and no sooner, and comes in order."""
    (port,) = free_ports(1)
    clock = ManualClock()
    otlp = Otlp(f"http://127.0.0.1:{port}", counting(), backoff=Constant(10), clock=clock, rng=Random(1))
    assert otlp.push()[:6] == (0, 1, 0, 0, 0, 1)
    assert otlp.stats().last_error.startswith("ConnectionRefusedError")
    assert otlp.push()[:6] == (0, 2, 0, 0, 0, 1)  # left alone
    collector = collect(port)
    clock.advance(4)  # at least half of the backoff
    assert otlp.push().waiting == 3
    clock.advance(6)
    assert otlp.push()[:6] == (4, 0, 0, 0, 0, 5)
    assert collector.counts() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_collector_says_when(collect: Callable[..., Collector], status: int) -> None:
    """Retry-After is kept, longer than the backoff."""
    (port,) = free_ports(1)
    collector, clock = collect(port), ManualClock()
    collector.answers = [(status, {"Retry-After": "60"}, b"")]
    otlp = Otlp(f"http://127.0.0.1:{port}/", counting(), clock=clock)
    otlp.push()
    clock.advance(59)
    assert otlp.push()[:2] == (0, 2)
    clock.advance(1)
    assert otlp.push()[:2] == (3, 0)
    assert collector.counts() == [1.0, 2.0, 3.0]
    assert otlp.stats().last_error == f"the collector answered {status}"


def test_what_is_never_taken_is_let_go(collect: Callable[..., Collector]) -> None:
    """A refusal holds up nothing: it is counted, and the next snapshot is sent."""
    (port,) = free_ports(1)
    collector = collect(port)
    collector.answers = [(400, {}, b"bad")]
    otlp = Otlp(f"http://127.0.0.1:{port}", counting())
    otlp.push()
    assert otlp.push()[:6] == (1, 0, 0, 1, 0, 2)
    assert (collector.counts(), otlp.stats().last_error) == ([2.0], "the collector answered 400")


def test_points_that_a_collector_rejects_are_counted(collect: Callable[..., Collector]) -> None:
    """A partial success says how many, and why."""
    (port,) = free_ports(1)
    collector = collect(port)
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = 3
    answer.partial_success.error_message = "too old"
    collector.answers = [(200, {}, answer.SerializeToString()), (200, {}, b"\xff\xff")]
    otlp = Otlp(f"http://127.0.0.1:{port}", counting())
    otlp.push()
    assert otlp.push()[4:] == (3, 2, "too old")


def test_a_bounded_buffer_lets_the_oldest_go(collect: Callable[..., Collector]) -> None:
    """While a collector is away, at most so many bytes wait; the newest are there when it is back."""
    (port,) = free_ports(1)
    clock = ManualClock()
    otlp = Otlp(f"http://127.0.0.1:{port}", counting(), buffer=600, clock=clock)
    for _ in range(50):
        otlp.push()
    stats = otlp.stats()
    assert 2 <= stats.waiting <= 6
    assert stats.dropped == 50 - stats.waiting
    collector = collect(port)
    clock.advance(600)
    otlp.push()
    assert collector.counts()[-1] == 51.0
    assert collector.counts() == sorted(collector.counts())
    tight = Otlp(f"http://127.0.0.1:{port}", counting(), buffer=0)
    assert tight.push()[:3] == (1, 0, 0)


def test_a_counter_that_began_anew_says_so(collect: Callable[..., Collector]) -> None:
    """After a restart the start is the last time when the old count was seen."""
    (port,) = free_ports(1)
    collector = collect(port)
    values = iter([(1.0, 5.0), (2.0, 9.0), (3.0, 2.0), (4.0, 4.0)])

    def source() -> Snapshot:
        at, value = next(values)
        held = distribution([1.0] * int(value))
        samples = (Sample(labels(a="b"), value),), (Sample((), held),)
        return Snapshot(at, (Family("calls", "counter", samples[0]), Family("took", "histogram", samples[1])))

    otlp = Otlp(f"http://127.0.0.1:{port}", source)
    for _ in range(4):
        otlp.push()
    assert [points(r, "calls")[0].start_time_unix_nano / 1e9 for r in collector.requests] == [1.0, 1.0, 2.0, 2.0]
    took = [metrics_of(r)["took"].exponential_histogram.data_points[0] for r in collector.requests]
    assert [point.start_time_unix_nano / 1e9 for point in took] == [1.0, 1.0, 2.0, 2.0]


def test_a_collector_behind_tls_is_trusted_or_not(collect: Callable[..., Collector]) -> None:
    """An authority that was given is trusted; without it nothing is sent, and what there is waits."""
    (port,) = free_ports(1)
    authority = trustme.CA()
    tls, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(trusting)
    collector = collect(port, tls=tls)
    stranger = Otlp(f"https://127.0.0.1:{port}", counting())
    assert stranger.push()[:2] == (0, 1)
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.stats().last_error
    assert Otlp(f"https://127.0.0.1:{port}", counting(), tls=trusting).push()[:2] == (1, 0)
    assert collector.counts() == [1.0]


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://x", "http://", "http://user:pw@x", "http://x:99999"])
def test_an_endpoint_must_be_one(endpoint: str) -> None:
    """The error does not repeat it, as there may be a secret in it."""
    with pytest.raises(ConfigError) as told:
        Otlp(endpoint, Snapshot(0.0))
    assert str(told.value) == "endpoint must be http://host:4318 or https://..., and credentials go into headers"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout must be 0.1 to 600 seconds, got 0; 10 is the default"),
        ({"buffer": -1}, "buffer must be at least 0 bytes, got -1; 8,388,608 is the default"),
    ],
)
def test_options_are_checked(options: Any, message: str) -> None:
    """Each message names the option, the value and the range."""
    with pytest.raises(ConfigError) as told:
        Otlp("http://x:4318", Snapshot(0.0), **options)
    assert str(told.value) == message


def test_otlp_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without opentelemetry-proto the error says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2", None)
    with pytest.raises(ConfigError) as told:
        to_otlp(Snapshot(0.0))
    assert str(told.value) == "OTLP needs the library opentelemetry-proto: pip install 'seawall[otel]'"
