"""Which traces are kept: by their beginning, and by their end."""

import random

import pytest

from seawall.clock import ManualClock
from seawall.observe.tracing import Remote, Span, Tracer, Unrecorded

SAMPLED, NOT = 1, 0


def parent(flags, trace_id=None):
    """A caller's position."""
    return Remote(trace_id or random.Random(5).getrandbits(128), 7, flags, "")


def head(share, **options):
    """A tracer that decides at the beginning only."""
    return Tracer("shop", sample=share, keep_errors=False, **options)


def test_an_unsampled_trace_costs_no_record_and_is_still_a_trace():
    """Without anything to keep by its end, only its place is held: below it, all spans share it."""
    tracer = head(0)
    with tracer.span("root") as root, tracer.span("child", {"a": 1}, kind="client") as child:
        child.set("b", 2)
        child.event("x")
        child.fail("y")
        child.record(ValueError())
        child.rename("z")
        child.end()
    assert type(root) is type(child) is Unrecorded
    assert (root.is_recording, root.sampled, root.name) == (False, False, "")
    assert child.traceparent == root.traceparent == f"00-{root.trace_id}-{root.span_id}-02"
    assert tracer.store.traces() == []
    assert tracer.stats()[:4] == (0, 2, 0, 0)


def test_the_share_is_chosen_by_the_lower_half_of_the_trace_id():
    """As OpenTelemetry's SDKs choose, so that services with one share choose the same traces."""
    tracer = head(0.25, follow_parent=False)
    quarter = 1 << 62
    for low, expected in [(1, Span), (quarter - 1, Span), (quarter, Unrecorded), ((1 << 64) - 1, Unrecorded)]:
        for high in (1, (1 << 64) - 1):
            assert type(tracer.span("s", parent=parent(SAMPLED, high << 64 | low))) is expected


def test_the_share_is_met():
    """Of 20,000 traces a tenth is sampled, within five standard deviations."""
    tracer = head(0.1, store=None)
    sampled = sum(tracer.span("s").sampled for _ in range(20_000))
    assert abs(sampled - 2_000) < 5 * 42.4


@pytest.mark.parametrize(("flags", "share", "kind"), [(SAMPLED, 0, Span), (NOT, 1, Unrecorded)])
def test_what_the_caller_decided_is_done(flags, share, kind):
    """The caller's decision overrules the share, and is passed on."""
    with head(share).span("serve", parent=parent(flags)) as span:
        assert type(span) is kind
        assert span.sampled is bool(flags)
        assert span.trace_id == parent(flags).trace_id


def test_a_function_may_decide():
    """By the name of the first span; those below follow it."""
    tracer = Tracer("shop", sample=lambda name: name != "health", keep_errors=False)
    with tracer.span("health"), tracer.span("check"):
        pass
    with tracer.span("order"), tracer.span("health"):
        pass
    (trace,) = tracer.store.traces()
    assert [span.name for span in trace.spans] == ["order", "health"]


def test_errors_are_kept_though_not_sampled():
    """A failed span anywhere in it keeps the whole trace; the others are dropped and counted."""
    tracer = Tracer("shop", sample=0)
    with tracer.span("fine"), tracer.span("below"):
        pass
    with tracer.span("caught"):
        with pytest.raises(ValueError, match="x"), tracer.span("below"):
            raise ValueError("x")
        with tracer.span("after"):
            pass
    (trace,) = tracer.store.traces()
    assert (trace.reason, [span.name for span in trace.spans]) == ("error", ["caught", "below", "after"])
    assert trace.root.sampled is False
    stats = tracer.stats()
    assert (stats.recorded, stats.kept, stats.dropped) == (5, 1, 1)


def test_slow_traces_are_kept_though_not_sampled():
    """From slower_than on, by the time of the first span here."""
    clock = ManualClock()
    tracer = Tracer("shop", sample=0, slower_than=0.5, clock=clock)
    for seconds in (0.499, 0.5, 0.1):
        with tracer.span(f"took {seconds}"):
            clock.advance(seconds)
    (trace,) = tracer.store.traces()
    assert (trace.reason, trace.root.name, trace.seconds) == ("slow", "took 0.5", 0.5)


def test_a_predicate_may_keep_what_nothing_else_keeps():
    """It is asked about the first span when that has ended; one that raises keeps nothing and fails nobody."""
    tracer = Tracer("shop", sample=0, keep=lambda root: root.attributes["vip"])
    with tracer.span("a", {"vip": True}):
        pass
    with tracer.span("b", {"vip": False}):
        pass
    with tracer.span("c"):
        pass
    assert [(trace.root.name, trace.reason) for trace in tracer.store.traces()] == [("a", "chosen")]
    assert tracer.stats().failures == 1


def test_what_ends_after_its_root_follows_what_became_of_the_trace():
    """A task that outlives the request is kept with it, and told as late; or dropped with it, and counted."""
    tracer = Tracer("shop", sample=lambda name: name == "kept")
    for name in ("kept", "dropped"):
        with tracer.span(name):
            late = tracer.span("late")
        with tracer.span("later", parent=late):
            pass
        late.end()
    (trace,) = tracer.store.traces()
    assert sorted(span.name for span in trace.spans) == ["kept", "late", "later"]
    assert (trace.reason, trace.root.name) == ("sampled", "kept")
    assert tracer.stats().late == 1
    assert tracer.stats().unrecorded == 1


def test_an_unsampled_trace_holds_so_many_spans():
    """Over max_spans the newest are dropped and counted, the root never."""
    tracer = Tracer("shop", sample=0, max_spans=3)
    with tracer.span("root") as root:
        for n in range(5):
            with tracer.span(f"s{n}"):
                pass
        root.fail("x")
    (trace,) = tracer.store.traces()
    assert [span.name for span in trace.spans] == ["root", "s0", "s1", "s2"]
    assert trace.overflow == tracer.stats().overflow == 2


def test_a_sampled_trace_loses_no_span():
    """It is kept anyway: what is held is handed on before the root has ended."""
    tracer = Tracer("shop", max_spans=3)
    with tracer.span("root"):
        for n in range(10):
            with tracer.span(f"s{n}"):
                pass
        assert len(tracer.store.traces()[0].spans) == 8
    (trace,) = tracer.store.traces()
    assert len(trace.spans) == 11
    assert trace.overflow == 0


def test_a_sink_that_raises_fails_nobody():
    """It is counted, and the other sinks get theirs."""

    class Broken:
        def offer(self, batch):
            raise RuntimeError("full")

        def flush(self, timeout=0):
            return True

        close = flush

    with Tracer("shop", exporters=[Broken()]) as tracer:
        with tracer.span("s"):
            pass
        assert tracer.stats().failures == 1
        assert len(tracer.store.traces()) == 1


def test_two_tracers_gather_each_their_own():
    """A span below another tracer's is in its trace, and goes where its own tracer's spans go."""
    one, two = Tracer("one"), Tracer("two")
    with one.span("outer") as outer, two.span("inner") as inner:
        pass
    assert (inner.trace_id, inner.parent_id) == (outer.trace_id, outer.span_id)
    assert [span.name for span in one.store.traces()[0].spans] == ["outer"]
    assert [span.name for span in two.store.traces()[0].spans] == ["inner"]
