"""Traces sent to a collector and written to a file, and what becomes of them when nobody takes them."""

import json
import logging
import subprocess
import sys
import threading

import pytest
from tests.otlp_collector import Collector, from_json, value_of

from seawall.errors import ConfigError
from seawall.guard.retry import Constant, Retry
from seawall.observe.tracing import Exporter, FileExporter, OtlpExporter, Tracer
from seawall.observe.tracing._exporter import is_worth_it

NEVER = 3_600


def quick(attempts=5):
    """Attempts without a wait worth naming."""
    return Retry(attempts, on=is_worth_it, backoff=Constant(0.001), jitter="none")


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("compress", [False, True])
def test_a_collector_gets_what_was_recorded(encoding, compress):
    """In either encoding, decoded by OpenTelemetry's own messages."""
    with Collector() as collector:
        exporter = OtlpExporter(
            collector.url, encoding=encoding, compress=compress, headers={"authorization": "Bearer t"}, interval=NEVER
        )
        tracer = Tracer("shop", exporters=[exporter], resource={"deployment.environment.name": "test"})
        attributes = {
            "text": "Grüße 🌊", "number": 7, "huge": 1 << 70, "part": 0.5, "flag": True, "list": ["a", 1],
            "nan": float("nan"), "half": "\ud800",
        }  # fmt: skip
        with tracer.span("charge", attributes, kind="client") as charge:
            charge.event("asked", {"n": 1})
            with tracer.span("inner", links=[charge]) as inner:
                pass
            charge.record(ValueError("no"))
            charge.fail("ValueError: no")
        assert tracer.close(30)
    told = {span.name: span for span in collector.spans}
    outer, below = told["charge"], told["inner"]
    assert (outer.trace_id.hex(), outer.span_id.hex(), outer.parent_span_id) == (charge.trace_id, charge.span_id, b"")
    assert (outer.kind, outer.start_time_unix_nano, outer.end_time_unix_nano) == (3, charge.start_ns, charge.end_ns)
    assert (outer.status.code, outer.status.message, outer.flags) == (2, "ValueError: no", 3)
    values = {item.key: value_of(item.value) for item in outer.attributes}
    assert str(values.pop("nan")) == "nan"
    assert values == {**{key: attributes[key] for key in ("text", "number", "part", "flag", "list")},
                      "huge": str(1 << 70), "half": "?"}  # fmt: skip
    assert [event.name for event in outer.events] == ["asked", "exception"]
    assert (below.parent_span_id.hex(), below.kind, below.status.code) == (charge.span_id, 1, 0)
    assert below.links[0].span_id.hex() == charge.span_id
    assert below.end_time_unix_nano == inner.end_ns
    resource = collector.resources[0]
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("shop", "test")
    ((path, headers),) = collector.requests
    assert (path, headers["authorization"]) == ("/v1/traces", "Bearer t")
    assert "Bearer" not in repr(exporter)


@pytest.mark.parametrize("trouble", [503, 429, (503, {"retry-after": "0"}), "hang up"])
def test_a_collector_that_fails_for_now_gets_it_later(trouble):
    """Nothing is lost and nothing is sent twice to one that did not take it."""
    with Collector(trouble, trouble) as collector:
        tracer = Tracer("shop", exporters=[OtlpExporter(collector.url, retry=quick(), interval=0.001)])
        for n in range(20):
            with tracer.span(f"s{n}"):
                pass
        assert tracer.flush(60)
        assert collector.names() == {f"s{n}": 1 for n in range(20)}
        stats = tracer.exporters[0].stats()
        assert (stats.offered, stats.sent, stats.lost, stats.waiting, stats.failures) == (20, 20, 0, 0, 2)
        assert tracer.close(30)


@pytest.mark.parametrize("trouble", [400, 401, 500])
def test_what_a_collector_refuses_is_lost_and_counted(trouble):
    """It is not asked again, and what comes afterwards is sent."""
    with Collector(trouble) as collector:
        tracer = Tracer("shop", exporters=[OtlpExporter(collector.url, retry=quick(), interval=NEVER)])
        for name in ("refused", "taken"):
            with tracer.span(name):
                pass
            assert tracer.flush(60)
        assert collector.names() == {"taken": 1}
        stats = tracer.exporters[0].stats()
        assert (stats.sent, stats.lost, stats.last_failure) == (1, 1, f"Refused: the collector answered {trouble}")
        assert not tracer.close(30)


def test_a_collector_that_comes_and_goes_is_told_of_once(caplog):
    """One warning when it begins to fail, one when it takes spans again, with the number of those lost."""
    with Collector(503, 503, 503) as collector, caplog.at_level(logging.WARNING, "seawall.observe"):
        tracer = Tracer("shop", exporters=[OtlpExporter(collector.url, retry=quick(2), interval=NEVER)])
        for _ in range(3):
            with tracer.span("s"):
                pass
            assert tracer.flush(60)
        tracer.close(30)
    assert caplog.messages == [
        "OtlpExporter cannot send: Refused: the collector answered 503",
        "OtlpExporter sends again; 1 spans were lost",
    ]


def test_nobody_at_the_other_end_fails_nobody():
    """A connection that is refused is tried again, then given up and counted."""
    with Collector() as collector:
        url = collector.url
    tracer = Tracer("shop", exporters=[OtlpExporter(url, retry=quick(3), interval=NEVER)])
    with tracer.span("s"):
        pass
    assert tracer.flush(60)
    stats = tracer.exporters[0].stats()
    assert (stats.sent, stats.lost, stats.failures) == (0, 1, 3)
    assert stats.last_failure.startswith("ConnectionRefusedError")


class Held(Exporter):
    """Sends nothing until it may."""

    def __init__(self, **options):
        super().__init__(**options)
        self.may, self.begun, self.sent = threading.Event(), threading.Event(), []

    def send(self, batches):
        self.begun.set()
        assert self.may.wait(60)
        self.sent += [span.name for batch in batches for span in batch.spans]
        return sum(map(len, batches))


def test_a_collector_that_hangs_blocks_nobody_and_the_queue_is_bounded():
    """While it hangs, spans end as ever; those over the bound are lost and counted; the rest is sent once."""
    exporter = Held(interval=0.001, max_queue=100)
    tracer = Tracer("shop", exporters=[exporter], store=None)
    with tracer.span("first"):
        pass
    assert exporter.begun.wait(60)
    for n in range(1_000):
        with tracer.span(f"s{n}"):
            pass
    stats = exporter.stats()
    assert (stats.offered, stats.waiting, stats.lost, stats.sent) == (1_001, 100, 901, 0)
    assert not tracer.flush(0.01)
    exporter.may.set()
    assert tracer.flush(60)
    assert exporter.sent == ["first", *(f"s{n}" for n in range(99))]
    assert not tracer.close(30)
    assert exporter.stats()[:4] == (1_001, 100, 901, 0)


def test_a_close_that_comes_too_early_says_so():
    """It does not wait longer than it was given."""
    exporter = Held(interval=NEVER)
    tracer = Tracer("shop", exporters=[exporter])
    with tracer.span("s"):
        pass
    assert not tracer.close(0.01)
    exporter.may.set()


def test_threads_and_open_traces_at_the_end_lose_nothing_and_send_nothing_twice():
    """Eight threads record while others flush; at the end each ended span has arrived once, also of open traces."""
    with Collector() as collector:
        tracer = Tracer("shop", exporters=[OtlpExporter(collector.url, interval=0.001, max_batch=7)], max_spans=5)

        def work(n):
            for i in range(50):
                with tracer.span(f"t{n}.{i}"), tracer.span(f"t{n}.{i}.below"):
                    pass
                if i % 10 == 0:
                    tracer.flush(60)

        root = tracer.span("open")
        for i in range(12):
            with tracer.span(f"in open {i}", parent=root):
                pass
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tracer.close(60)
        root.end()
        expected = {f"in open {i}": 1 for i in range(12)}
        expected |= {f"t{n}.{i}{below}": 1 for n in range(8) for i in range(50) for below in ("", ".below")}
        assert collector.names() == expected
        assert tracer.exporters[0].stats().lost == 1  # the root, which ended after the end


def test_at_the_end_failed_traces_that_are_open_are_kept_too():
    """They would have been."""
    exporter = Held(interval=NEVER)
    exporter.may.set()
    tracer = Tracer("shop", sample=0, exporters=[exporter])
    root = tracer.span("open")
    with pytest.raises(ValueError, match="x"), tracer.span("failed", parent=root):
        raise ValueError("x")
    other = tracer.span("fine and open")
    with tracer.span("fine", parent=other):
        pass
    assert tracer.close(60)
    assert exporter.sent == ["failed"]


def test_the_end_of_a_program_sends_what_is_left():
    """Nobody has to call close."""
    program = (
        "import sys\nfrom seawall.observe.tracing import OtlpExporter, Tracer\n"
        "tracer = Tracer('shop', exporters=[OtlpExporter(sys.argv[1], interval=3_600)])\n"
        "with tracer.span('last words'): pass\n"
    )
    with Collector() as collector:
        subprocess.run([sys.executable, "-c", program, collector.url], check=True, timeout=120)
        assert collector.names() == {"last words": 1}


def test_a_file_gets_a_line_for_each_trace(tmp_path):
    """Each is an export request of OTLP; another process may append to it."""
    path = tmp_path / "traces.jsonl"
    for run in range(2):
        with Tracer("shop", exporters=[FileExporter(path, interval=NEVER)]) as tracer:
            for n in range(3):
                with tracer.span(f"r{run}.{n}"), tracer.span("below"):
                    pass
    lines = path.read_bytes().splitlines()
    names = [[span.name for span in from_json(line).resource_spans[0].scope_spans[0].spans] for line in lines]
    assert names == [["below", f"r{run}.{n}"] for run in range(2) for n in range(3)]
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_is_bounded(tmp_path):
    """Over max_bytes it becomes the one before."""
    path = tmp_path / "traces.jsonl"
    with Tracer("shop", exporters=[FileExporter(path, max_bytes=2_000, interval=NEVER, max_batch=1)]) as tracer:
        for n in range(20):
            with tracer.span(f"s{n}"):
                pass
    files = sorted(each.name for each in tmp_path.iterdir())
    assert files == ["traces.jsonl", "traces.jsonl.1"]
    assert all((tmp_path / name).stat().st_size <= 2_000 for name in files)
    last = path.read_text().splitlines()[-1]
    assert json.loads(last)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "s19"


def test_a_file_that_cannot_be_written_is_counted(tmp_path):
    """A full or missing disk fails nobody."""
    folder = tmp_path / "there"
    folder.mkdir()
    with Tracer("shop", exporters=[FileExporter(folder / "f", retry=quick(2), interval=NEVER)]) as tracer:
        folder.rmdir()
        with tracer.span("s"):
            pass
        assert tracer.flush(60)
        assert tracer.exporters[0].stats().lost == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: OtlpExporter("localhost:4318"),
            "endpoint must be a URL like http://localhost:4318/v1/traces, got 'localhost:4318'",
        ),
        (lambda: OtlpExporter(encoding="xml"), "encoding must be 'json' or 'protobuf', got 'xml'"),
        (lambda: FileExporter("/no/such/folder/f"), "path must lie in a folder that exists, got '/no/such/folder/f'"),
        (lambda: FileExporter("f", max_bytes=1), "max_bytes must be a whole number, at least 1,000, got 1"),
        (
            lambda: OtlpExporter(max_queue=0),
            "max_queue must be 1 to 10000000, got 0; spans that wait at most; more are lost",
        ),
    ],
)
def test_what_can_never_work_is_refused(make, message):
    """The option, the value and the way out are named."""
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


def test_a_missing_library_is_named(monkeypatch):
    """With the extra that brings it."""
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(ConfigError) as error:
        OtlpExporter(encoding="protobuf")
    assert str(error.value) == (
        "encoding='protobuf' needs opentelemetry-proto; pip install 'seawall[otel]', or use encoding='json'"
    )


def test_nothing_starts_before_there_is_something_to_send():
    """No thread in a constructor."""
    before = threading.active_count()
    exporter = OtlpExporter()
    assert threading.active_count() == before
    assert repr(exporter) == "<OtlpExporter: 0 spans sent, 0 waiting, 0 lost>"
    assert exporter.close()
