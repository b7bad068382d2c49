"""The store: the latest traces, read with their log lines and exemplars."""

import json

import pytest

from seawall.clock import ManualClock
from seawall.observe import Exemplar, Family, Sample, Snapshot
from seawall.observe.tracing import LogLine, Store, Tracer


@pytest.fixture
def clock():
    """One that stands."""
    return ManualClock(100)


def test_fast_traces_cannot_crowd_out_failed_and_slow_ones(clock):
    """Each half of the room forgets its own oldest."""
    store = Store(max_spans=20)
    tracer = Tracer("shop", store=store, slower_than=1, clock=clock)
    with tracer.span("slow"):
        clock.advance(1)
    for n in range(100):
        with tracer.span(f"fast {n}"):
            clock.advance(0.001)
    assert [trace.root.name for trace in store.recent(3)] == ["fast 99", "fast 98", "fast 97"]
    assert [trace.root.name for trace in store.slowest(1)] == ["slow"]
    assert len(store.traces()) == 11
    assert store.forgotten == 90


def test_errors_and_the_slowest_are_found(clock):
    """The latest failure first; the slowest first."""
    tracer = Tracer("shop", clock=clock)
    for name, seconds, fails in [("a", 1, True), ("b", 3, False), ("c", 2, True)]:
        with tracer.span(name) as span:
            clock.advance(seconds)
            if fails:
                span.fail("broken")
    assert [trace.root.name for trace in tracer.store.errors()] == ["c", "a"]
    assert [trace.root.name for trace in tracer.store.slowest(2)] == ["b", "c"]


def test_a_trace_is_read_with_its_lines_and_exemplars(clock):
    """By its id: spans of all batches, lines written in it, observations of metrics made in it."""
    tracer = Tracer("shop", clock=clock)
    with tracer.span("charge") as span, tracer.span("ask") as ask:
        clock.advance(0.25)
    tracer.store.log(LogLine(100.1, "WARNING", "shop", "slow bank", span.trace_id, ask.span_id, "r-17"))
    tracer.store.log(LogLine(100.2, "INFO", "shop", "elsewhere"))
    exemplar = Exemplar((("trace_id", span.trace_id),), 0.25, 100.25)
    other = Exemplar((("trace_id", "0" * 32),), 0.5, 100.5)
    snapshot = Snapshot(101.0, (Family("latency", "gauge", (Sample((), 1.0, (other, exemplar)),)),))
    trace = tracer.store.trace(span.trace_id, snapshot=snapshot)
    assert [each.name for each in trace.spans] == ["charge", "ask"]
    assert [line.message for line in trace.logs] == ["slow bank"]
    assert trace.exemplars == (("latency", exemplar),)
    assert tracer.store.logs(correlation_id="r-17") == list(trace.logs)
    assert trace.describe() == "charge 250.000 ms\n  ask 250.000 ms\n    | WARNING slow bank"
    told = json.loads(json.dumps(trace.to_dict()))
    assert told["spans"][1]["parent_id"] == span.span_id
    assert told["exemplars"] == [
        {"metric": "latency", "labels": {"trace_id": span.trace_id}, "value": 0.25, "at": 100.25}
    ]


def test_lines_of_a_trace_that_was_not_kept_are_found():
    """A trace of which only lines are left has no spans; one of which nothing is left is None."""
    store = Store(max_logs=2)
    for n in range(3):
        store.log(LogLine(float(n), "INFO", "shop", f"m{n}", "a" * 32, "b" * 16))
    trace = store.trace("a" * 32)
    assert (trace.spans, trace.root, trace.seconds, trace.failed) == ((), None, 0.0, False)
    assert [line.message for line in trace.logs] == ["m1", "m2"]
    assert store.trace("c" * 32) is None


def test_a_failed_span_says_why_in_the_tree(clock):
    """And a trace far deeper than the stack is described."""
    tracer = Tracer("shop", clock=clock, max_spans=5_000)
    spans = [tracer.span("s0")]
    for n in range(1, 2_000):
        spans.append(tracer.span(f"s{n}", parent=spans[-1]))
    spans[-1].fail("broken")
    for span in reversed(spans):
        span.end()
    lines = tracer.store.traces()[0].describe().splitlines()
    assert len(lines) == 2_000
    assert lines[-1].strip() == "s1999 0.000 ms FAILED broken"
