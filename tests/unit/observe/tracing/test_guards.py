"""Policies that tell the current span what they do."""

import asyncio

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.retry import Constant
from seawall.observe.tracing import Tracer, instrument
from seawall.patterns import Signal


@pytest.fixture
def clock():
    """One on which nobody waits."""
    return ManualClock(autojump=True)


@pytest.fixture
def tracer(clock):
    """One that keeps everything."""
    return Tracer("shop", clock=clock)


def failing(times, error=TimeoutError):
    """A function that fails so often, then answers."""
    left = iter([error("slow")] * times)

    def ask():
        for each in left:
            raise each
        return "fine"

    return ask


def test_a_retry_tells_attempts_waits_and_that_it_recovered(tracer, clock):
    """Each wait is an event; the attributes hold the attempt that succeeded and the last wait."""
    retry = sw.Retry(4, backoff=Constant(0.5), jitter="none", clock=clock, name="bank")
    with instrument(retry), tracer.span("charge") as span:
        assert retry.call(failing(2)) == "fine"
    assert span.attributes == {"seawall.bank.attempt": 3, "seawall.bank.wait": 0.5}
    assert [(name, attributes) for name, _, attributes in span.events] == [
        ("retry.retrying", {"name": "bank", "attempt": 1, "wait": 0.5, "error": "TimeoutError"}),
        ("retry.retrying", {"name": "bank", "attempt": 2, "wait": 0.5, "error": "TimeoutError"}),
        ("retry.recovered", {"name": "bank", "attempts": 3, "elapsed": 1.0}),
    ]
    assert not span.failed


def test_a_retry_tells_that_it_gave_up(tracer, clock):
    """And why."""
    retry = sw.Retry(2, backoff=Constant(0.5), jitter="none", clock=clock, name="bank")
    with instrument(retry), pytest.raises(TimeoutError), tracer.span("charge") as span:
        retry.call(failing(5))
    assert span.attributes["seawall.bank.attempt"] == 2
    assert span.attributes["seawall.bank.gave_up"] == "all attempts are used up"
    assert span.failed


def test_a_breaker_tells_its_state_and_refusals(tracer, clock):
    """The span in which it opened, and the span that was refused."""
    breaker = sw.CircuitBreaker("bank", consecutive=1, open_for=30, clock=clock)
    with instrument(breaker):
        with pytest.raises(TimeoutError), tracer.span("opens") as opens:
            breaker.call(failing(1))
        with pytest.raises(sw.CircuitOpen), tracer.span("refused") as refused:
            breaker.call(failing(0))
    assert opens.attributes == {"seawall.bank.state": "open"}
    assert opens.events[0][2] == {"name": "bank", "before": "closed", "after": "open", "trips": 1}
    assert refused.attributes == {"seawall.bank.state": "open", "seawall.bank.refused": True}
    assert refused.events[0][2] == {"name": "bank", "state": "open", "retry_after": 30.0}


def test_a_bulkhead_tells_that_it_was_full(tracer):
    """And how full."""
    bulkhead = sw.Bulkhead(1, name="pool")
    with instrument(bulkhead), bulkhead, pytest.raises(sw.BulkheadFull), tracer.span("charge") as span:
        bulkhead.call(failing(0))
    assert span.attributes == {"seawall.pool.state": "full", "seawall.pool.refused": True}
    assert span.events[0][2] == {"name": "pool", "state": "full", "in_flight": 1, "queued": 0}


async def test_a_timeout_tells_the_task_that_was_timed_out(tracer):
    """Of two tasks, the span of the one whose time was up."""
    timeout = sw.Timeout(0.01, name="quick")

    @timeout
    async def hang():
        await asyncio.Event().wait()

    async def charge():
        with tracer.span("charge") as span:
            await hang()
        return span

    async def other():
        with tracer.span("other") as span:
            await asyncio.sleep(0)
        return span

    with instrument(timeout):
        other_span, failure = await asyncio.gather(other(), charge(), return_exceptions=True)
    assert isinstance(failure, sw.TimeoutExceeded)
    assert other_span.attributes == {}
    (trace,) = tracer.store.errors()
    assert trace.root.attributes == {"seawall.quick.timed_out_after": 0.01}


def test_a_fallback_tells_what_was_answered(tracer):
    """By the name of the source."""
    fallback = sw.Fallback("cached", name="spare")
    with instrument(fallback), tracer.span("charge") as span:
        assert fallback.call(failing(1)) == "cached"
    assert span.attributes == {"seawall.spare.answered_by": "value"}


def test_a_pipeline_and_a_guarded_function_are_their_policies(tracer, clock):
    """All that stand in it tell; closing ends that, and calls that need no policy tell nothing."""
    retry = sw.Retry(3, backoff=Constant(1), jitter="none", clock=clock, name="again")
    guard = sw.Pipeline(retry, sw.CircuitBreaker("bank", consecutive=9, clock=clock))
    for subject in (guard, guard(failing(0))):
        tied = tracer.instrument(subject)
        assert len(tied) == 5
        with tracer.span("needs none") as nothing:
            guard.call(failing(0))
        with tracer.span("retried") as retried:
            guard.call(failing(1))
        tied.close()
        with tracer.span("closed") as closed:
            guard.call(failing(1))
        assert (nothing.attributes, closed.attributes) == ({}, {})
        assert retried.attributes["seawall.again.attempt"] == 2
        assert (len(tied), repr(tied)) == (0, "<Instrumented: 0 signals>")
    assert not retry.retrying


def test_outside_a_span_and_in_an_unsampled_one_nothing_happens(clock):
    """The call is what it was."""
    retry = sw.Retry(3, backoff=Constant(1), jitter="none", clock=clock)
    tracer = Tracer("shop", sample=0, keep_errors=False)
    with instrument(retry):
        assert retry.call(failing(1)) == "fine"
        with tracer.span("charge"):
            assert retry.call(failing(1)) == "fine"


def test_signals_of_others_become_events(tracer):
    """Whatever has Signals can be told of, without attributes."""

    class Pool:
        def __init__(self):
            self.grown = Signal("pool.grown", dict)

    pool = Pool()
    with instrument(pool), tracer.span("charge") as span:
        pool.grown.send({"size": 3})
    assert [name for name, _, _ in span.events] == ["pool.grown"]


def test_what_has_no_signals_is_refused():
    """With what to give instead."""
    with pytest.raises(ConfigError) as error:
        instrument(3)
    assert str(error.value) == "no signals in 3; give policies, pipelines or guarded functions"
