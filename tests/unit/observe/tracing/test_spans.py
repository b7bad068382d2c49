"""What a span promises to whoever makes it."""

import asyncio
import gc
import inspect
import pickle

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe.tracing import Remote, Span, Store, Tracer, current_span


def kept(tracer):
    """The one trace that was kept."""
    (trace,) = tracer.store.traces()
    return trace


@pytest.fixture
def clock():
    """One that stands."""
    return ManualClock(1_000)


@pytest.fixture
def tracer(clock):
    """One that keeps everything."""
    return Tracer("shop", clock=clock)


def test_a_span_tells_what_was_said_of_it(tracer, clock):
    """Name, kind, times, attributes and events are as given, and times are those of the clock."""
    with tracer.span("charge", {"order": 7}, kind="client") as span:
        clock.advance(0.5)
        span.set("paid", True)
        span.event("asked", {"bank": "b"})
        clock.advance(1)
        span.rename("charge a card")
    assert (span.name, span.kind, span.seconds, span.failed) == ("charge a card", "client", 1.5, False)
    assert (span.start_ns, span.end_ns) == (1_000_000_000_000, 1_001_500_000_000)
    assert span.attributes == {"order": 7, "paid": True}
    assert span.events == (("asked", 1_000_500_000_000, {"bank": "b"}),)


def test_spans_in_blocks_are_parent_and_child(tracer):
    """A span is the parent of what begins in its block, and no longer after it."""
    assert current_span() is None
    with tracer.span("outer") as outer:
        with tracer.span("first") as first:
            assert current_span() is first
        with tracer.span("second") as second:
            pass
        assert current_span() is outer
    with tracer.span("another") as another:
        pass
    assert outer.parent_id == ""
    assert first.parent_id == second.parent_id == outer.span_id
    assert first.trace_id == second.trace_id == outer.trace_id != another.trace_id
    assert current_span() is None


def test_ids_are_hexadecimal_and_all_different(tracer):
    """Ids have the length that the standard says, and 10,000 of them have no two alike."""
    spans = [tracer.span("s") for _ in range(10_000)]
    assert {(len(span.trace_id), len(span.span_id)) for span in spans} == {(32, 16)}
    assert len({span.trace_id for span in spans} | {span.span_id for span in spans}) == 20_000
    assert all(int(span.trace_id, 16) and int(span.span_id, 16) for span in spans)


def test_a_new_trace_begins_where_it_is_asked_for(tracer):
    """parent=False begins a trace of its own inside another."""
    with tracer.span("request") as request, tracer.span("job", parent=False) as job:
        pass
    assert job.trace_id != request.trace_id
    assert job.parent_id == ""


def test_a_span_can_be_given_its_parent_and_links(tracer):
    """parent= takes another span than the current one, links= those that belong together otherwise."""
    one, two = tracer.span("one"), tracer.span("two")
    with tracer.span("child", parent=one, links=[two]) as child:
        pass
    assert child.parent_id == one.span_id
    assert child.links == (two,)


def test_what_a_block_raises_fails_its_span_and_is_raised(tracer):
    """The error becomes an event and the span's message; who catches it sees the same error."""
    error = ValueError("no such card")
    with pytest.raises(ValueError, match="no such card") as seen, tracer.span("charge") as span:
        raise error
    assert seen.value is error
    assert (span.failed, span.message) == (True, "ValueError: no such card")
    ((name, _, attributes),) = span.events
    assert (name, attributes["exception.type"], attributes["exception.message"]) == (
        "exception", "ValueError", "no such card",
    )  # fmt: skip
    assert "raise error" in attributes["exception.stacktrace"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_a_cancelled_block_has_not_failed(tracer, error):
    """Cancellation is nobody's failure: it is noted, and the trace is not kept as an error."""
    with pytest.raises(type(error)), tracer.span("charge") as span:
        raise error
    assert (span.failed, span.attributes) == (False, {"seawall.cancelled": True})


def test_an_error_that_cannot_be_shown_fails_its_span_all_the_same(tracer):
    """A broken __str__ harms neither the program nor the trace."""

    class Broken(Exception):
        def __str__(self):
            raise RuntimeError("no")

    with pytest.raises(Broken), tracer.span("charge") as span:
        raise Broken
    assert span.failed
    assert kept(tracer).failed


def test_after_its_end_a_span_does_not_change(tracer):
    """Whatever is said of it later is not heard, and a second end is not another one."""
    with tracer.span("charge") as span:
        pass
    ended = span.end_ns
    span.set("late", 1)
    span.event("late")
    span.fail("late")
    span.rename("late")
    span.end()
    assert (span.name, span.attributes, span.events, span.failed, span.end_ns) == ("charge", {}, (), False, ended)
    assert len(kept(tracer).spans) == 1


def test_a_span_without_a_block_is_ended_by_hand(tracer):
    """Callbacks begin and end spans where there is no block; they are never current."""
    span = tracer.span("download")
    assert current_span() is None
    assert span.is_recording
    span.end()
    assert not span.is_recording
    assert [each.name for each in kept(tracer).spans] == ["download"]


def test_a_span_is_entered_once(tracer):
    """Two blocks cannot share a span."""
    with tracer.span("charge") as span, pytest.raises(RuntimeError) as error, span:
        pass
    assert str(error.value) == "span 'charge' is entered already; begin one for each block"


def test_values_are_kept_as_they_were_and_small():
    """What could change later, is long, or has no form in a trace is kept as what it was, cut, or as text."""

    class Broken:
        def __str__(self):
            raise RuntimeError("no")

    tracer = Tracer("shop", max_value=16)
    names = ["a"]
    with tracer.span("charge") as span:
        span.set("names", names)
        span.set("long", "x" * 100)
        span.set("other", {"a": 1})
        span.set("none", None)
        span.set("broken", Broken())
    names.append("b")
    assert span.attributes == {
        "names": ("a",), "long": "x" * 16, "other": "{'a': 1}", "none": "None",
        "broken": f"<{Broken.__qualname__} that cannot be shown>",
    }  # fmt: skip


def test_a_span_is_bounded():
    """Attributes and events over the bound are dropped and counted; a known attribute can still be changed."""
    tracer = Tracer("shop", max_attributes=2, max_events=3)
    with tracer.span("charge", {"a": 1, "b": 2, "c": 3}) as span:
        span.set("a", 9)
        span.set("d", 4)
        for n in range(5):
            span.event(f"e{n}")
    assert span.attributes == {"a": 9, "b": 2}
    assert [name for name, _, _ in span.events] == ["e0", "e1", "e2"]
    assert span.dropped == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tracer(""), "service must be a name, got ''"),
        (
            lambda: Tracer("shop", sample=2),
            "sample must be 0 to 1, got 2; share of traces that are sampled, by trace id",
        ),
        (lambda: Tracer("shop", wall=3), "wall must be a WallClock or a ManualClock, got 3"),
        (
            lambda: Tracer("shop").traced("x", kind="sever"),
            "kind must be one of internal, server, client, producer, consumer, got 'sever'",
        ),
        (lambda: Tracer("shop").traced("x")(3), "only a function can be traced, got 3"),
    ],
)
def test_what_can_never_work_is_refused(make, message):
    """The option, the value and the way out are named."""
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


def test_an_unknown_kind_of_span_is_refused(tracer):
    """Also where a span begins."""
    with pytest.raises(ValueError, match="kind must be one of internal, server, client, producer, consumer, got 'x'"):
        tracer.span("charge", kind="x")


def test_a_traced_function_stays_a_function(tracer):
    """Name, signature, result, arguments and errors are those of the function; each call is a span."""

    @tracer.traced
    def price(order: int, *, tax: float = 0.1) -> float:
        """Of an order."""
        if order < 0:
            raise ValueError("no order")
        return order * (1 + tax)

    assert price(2, tax=0.5) == 3.0
    with pytest.raises(ValueError, match="no order"):
        price(-1)
    assert (price.__name__, price.__doc__, price.__wrapped__(2, tax=0)) == ("price", "Of an order.", 2)
    assert str(inspect.signature(price)) == "(order: int, *, tax: float = 0.1) -> float"
    assert [trace.root.failed for trace in tracer.store.traces()].count(True) == 1
    assert {trace.root.name for trace in tracer.store.traces()} == {price.__qualname__}


def test_a_traced_method_is_bound(tracer):
    """A decorated function of a class gets its object."""

    class Shop:
        @tracer.traced("price", {"unit": "cent"}, kind="server")
        def price(self, order):
            return self, order

    shop = Shop()
    assert shop.price(3) == (shop, 3)
    root = kept(tracer).root
    assert (root.name, root.attributes, root.kind) == ("price", {"unit": "cent"}, "server")


tracer_of_module = Tracer("module")


@tracer_of_module.traced
def found_by_name():
    """A function of a module."""
    return 7


def test_a_traced_function_pickles_by_its_name():
    """Process pools can be given it."""
    assert pickle.loads(pickle.dumps(found_by_name)) is found_by_name


async def test_a_traced_coroutine_function_is_one(tracer):
    """The span lasts as long as it is awaited."""

    @tracer.traced("ask")
    async def ask():
        await asyncio.sleep(0)
        return current_span().name

    assert inspect.iscoroutinefunction(ask)
    assert await ask() == "ask"
    assert kept(tracer).root.name == "ask"


def test_the_span_of_a_generator_is_current_only_while_it_runs(tracer):
    """Its caller does not see it between items; what the generator begins is below it; it ends with the generator."""

    @tracer.traced("read")
    def read():
        with tracer.span("open"):
            pass
        got = yield current_span().name
        yield got

    items = read()
    assert next(items) == "read"
    assert current_span() is None
    assert items.send("sent") == "sent"
    assert tracer.store.traces() == []
    items.close()
    trace = kept(tracer)
    assert sorted(span.name for span in trace.spans) == ["open", "read"]
    assert not trace.failed


def test_a_generator_that_fails_fails_its_span(tracer):
    """What is thrown in reaches it, and what it raises is told."""

    @tracer.traced("read")
    def read():
        try:
            yield 1
        except KeyError:
            yield 2
        raise ValueError("torn")

    items = read()
    assert next(items) == 1
    assert items.throw(KeyError()) == 2
    with pytest.raises(ValueError, match="torn"):
        next(items)
    assert kept(tracer).root.message == "ValueError: torn"


async def test_the_span_of_an_async_generator_is_current_only_while_it_runs(tracer):
    """As for plain ones."""

    @tracer.traced("read")
    async def read():
        yield current_span().name
        await asyncio.sleep(0)
        yield current_span().name

    seen = []
    async for item in read():
        assert current_span() is None
        seen.append(item)
    assert seen == ["read", "read"]
    assert kept(tracer).root.name == "read"


def test_a_trace_whose_root_never_ends_is_counted_and_what_ended_is_kept():
    """A span that was lost takes nothing with it: its ended children are kept, and nothing leaks."""
    tracer = Tracer("shop")
    root = tracer.span("root")
    with tracer.span("child", parent=root):
        pass
    del root
    gc.collect()
    assert tracer.stats().abandoned == 1
    assert [span.name for span in kept(tracer).spans] == ["child"]


def test_a_block_left_in_another_context_changes_nothing_there(tracer):
    """A generator closed elsewhere gives back nothing that is not its own."""

    def held():
        with tracer.span("held"):
            yield

    import contextvars

    items = held()
    contextvars.copy_context().run(next, items)
    with tracer.span("mine") as mine:
        items.close()
        assert current_span() is mine


def test_objects_say_what_they_are(tracer):
    """Each repr tells name and state."""
    with tracer.span("charge") as span:
        assert repr(span) == f"<Span 'charge' {span.span_id} of trace {span.trace_id}, open>"
    assert repr(span) == f"<Span 'charge' {span.span_id} of trace {span.trace_id}, 0.000 ms>"
    assert repr(tracer) == "<Tracer 'shop': 1 spans recorded, 1 traces kept>"
    assert repr(tracer.store) == "<Store: 1 spans, 0 lines>"
    assert repr(Store()) == "<Store: 0 spans, 0 lines>"


def test_spans_stay_in_their_process(tracer):
    """A copy would be told twice; a position travels. What nobody has begun is refused or harmless."""
    with tracer.span("charge") as span:
        pass
    for each in (span, Tracer("shop", sample=0, keep_errors=False).span("s")):
        with pytest.raises(TypeError, match=r"a span stays in its process: send its position, with inject\(headers\)"):
            pickle.dumps(each)
    with pytest.raises(TypeError, match="a span is begun by a tracer"):
        Span()
    bare = Span.__new__(Span)
    bare.set("a", 1)
    bare.event("e")
    bare.end()
    assert (bare.attributes, bare.events, bare.start_ns, bare.seconds, bare.is_recording) == ({}, (), 0, 0.0, False)
    with pytest.raises(TypeError, match=r"Tracer.__init__ was not called"):
        Tracer.__new__(Tracer).span("s")
    position = pickle.loads(pickle.dumps(Remote(1 << 100, 7, 1, "a=1")))
    assert repr(position) == f"<Remote 00-{1 << 100:032x}-{7:016x}-01>"
    assert position.tracestate == "a=1"


def test_spans_do_not_pile_up():
    """What the store has forgotten is freed, without the collector."""
    gc.collect()
    others = sum(type(each) is Span for each in gc.get_objects())
    gc.disable()
    try:
        tracer = Tracer("shop", store=Store(max_spans=10))
        for _ in range(1_000):
            with tracer.span("root"), tracer.span("below"):
                pass
        assert sum(type(each) is Span for each in gc.get_objects()) < others + 100
    finally:
        gc.enable()
