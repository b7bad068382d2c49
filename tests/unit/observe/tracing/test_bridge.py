"""The same face on OpenTelemetry's SDK, with its in-memory exporter."""

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.retry import Constant
from seawall.observe.logs import IdsFilter
from seawall.observe.tracing import (
    OpenTelemetryTracer,
    Remote,
    Tracer,
    carry,
    current_span,
    extract,
    inject,
    instrument,
    make_tracer,
)


@pytest.fixture
def memory():
    """Where the SDK's spans go."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(memory):
    """Ours on the SDK."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    yield OpenTelemetryTracer("shop", provider=provider)
    provider.shutdown()


def test_spans_are_the_sdks(tracer, memory):
    """Names, kinds, parents, attributes, events, links and errors arrive there."""
    other = tracer.span("other")

    def charge_a_card():
        with tracer.span("charge", {"order": 7}, kind="client", links=[other]) as span:
            span.set("odd", object)
            span.event("asked", {"n": 1})
            span.rename("charge a card")
            with tracer.span("below"):
                pass
            ids.extend([span.trace_id, span.span_id])
            raise ValueError("no")

    ids = []
    with pytest.raises(ValueError, match="no"):
        charge_a_card()
    below, charge = memory.get_finished_spans()
    assert (charge.name, charge.kind, charge.status.description) == (
        "charge a card", trace.SpanKind.CLIENT, "ValueError: no",
    )  # fmt: skip
    assert dict(charge.attributes) == {"order": 7, "odd": "<class 'object'>"}
    assert [event.name for event in charge.events] == ["asked", "exception"]
    assert charge.links[0].context.span_id == int(other.span_id, 16)
    assert below.parent.span_id == charge.context.span_id == int(ids[1], 16)
    assert ids[0] == f"{charge.context.trace_id:032x}"


def test_the_callers_position_is_the_parent(tracer, memory):
    """In from headers, out into headers, as with our own spans."""
    caller = extract({"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "tracestate": "a=1"})
    with tracer.span("serve", parent=caller) as span:
        headers = inject({})
        with tracer.span("job", parent=False) as job:
            pass
        with tracer.span("child", parent=span):
            pass
    assert headers == {"traceparent": f"00-{'ab' * 16}-{span.span_id}-{span.traceparent[-2:]}", "tracestate": "a=1"}
    assert job.trace_id != span.trace_id
    served = memory.get_finished_spans()[-1]
    assert (served.parent.span_id, served.parent.is_remote) == (int("cd" * 8, 16), True)


def test_an_unsampled_caller_is_followed(tracer, memory):
    """By the SDK's own sampler."""
    with tracer.span("serve", parent=Remote(1, 2, 0, "")) as span:
        assert (span.is_recording, span.sampled) == (False, False)
    assert memory.get_finished_spans() == ()


async def test_functions_of_all_kinds_are_traced(tracer, memory):
    """As with our own."""

    @tracer.traced("plain", {"a": 1})
    def plain():
        return current_span().name

    @tracer.traced
    async def task():
        return current_span().name

    @tracer.traced("items")
    def items():
        yield current_span().name

    assert plain() == "plain"
    assert await task() == task.__qualname__
    assert list(items()) == ["items"]
    assert current_span() is None
    assert [span.name for span in memory.get_finished_spans()] == ["plain", task.__qualname__, "items"]


def test_policies_tell_its_spans_too(tracer, memory):
    """Whoever began the current span."""
    retry = sw.Retry(3, backoff=Constant(1), jitter="none", clock=ManualClock(autojump=True), name="bank")
    answers = iter([TimeoutError(), None])

    def ask():
        if error := next(answers):
            raise error

    with instrument(retry), tracer.span("charge"):
        retry.call(ask)
    (charge,) = memory.get_finished_spans()
    assert charge.attributes["seawall.bank.attempt"] == 2
    assert charge.events[0].name == "retry.retrying"


def test_logs_and_threads_know_its_spans(tracer):
    """Ids in records, context in threads."""
    import logging
    import threading

    record = logging.makeLogRecord({"msg": "x"})
    seen = []
    with tracer.span("charge") as span:
        IdsFilter().filter(record)
        thread = threading.Thread(target=carry(lambda: seen.append(current_span().span_id)))
        thread.start()
        thread.join()
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)
    assert seen == [span.span_id]


def test_cancellation_is_no_failure_there_either(tracer, memory):
    """As with our own."""
    with pytest.raises(KeyboardInterrupt), tracer.span("charge"):
        raise KeyboardInterrupt
    (charge,) = memory.get_finished_spans()
    assert charge.status.is_unset
    assert dict(charge.attributes) == {"seawall.cancelled": True}


def test_our_own_is_chosen_where_no_provider_is_set():
    """An installed API alone records nothing."""
    assert type(make_tracer("shop", sample=0.5)) is Tracer


def test_opentelemetry_is_chosen_where_it_is_configured():
    """In a process of its own: a provider is set once and for all."""
    program = (
        "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "from seawall.observe.tracing import make_tracer\n"
        "tracer = make_tracer('shop', sample=0.5)\n"
        "with tracer.span('charge') as span: assert span.is_recording\n"
        "assert tracer.flush() and tracer.close()\n"
        "print(tracer)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "<OpenTelemetryTracer 'shop'>\n"


def test_without_opentelemetry_our_own_is_chosen(monkeypatch):
    """And asking for the other says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert type(make_tracer("shop")) is Tracer
    with pytest.raises(sw.ConfigError) as error:
        OpenTelemetryTracer("shop")
    assert str(error.value) == "opentelemetry is not installed; pip install 'seawall[otel]', or use Tracer"
