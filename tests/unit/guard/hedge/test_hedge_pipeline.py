"""A hedge among other policies: what is inside it is passed by each copy, what is outside by the call."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.unit.guard.hedge.service import Service, settle
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.clock import ManualClock

PAID: dict[str, Any] = {"idempotent": True, "budget": None}


async def test_policies_inside_are_passed_by_each_copy_and_those_outside_once() -> None:
    """The loser's cancellation is heard inside, as a cancellation; outside there is one call that ended well."""
    clock, service = ManualClock(), Service()
    heard: list[tuple[str, Any, str]] = []
    guard = sw.Pipeline(Witness(heard, "outside"), sw.Hedge(0.05, **PAID, clock=clock), Witness(heard, "inside"))
    call = asyncio.create_task(guard.call_async(service.ask))
    await settle()
    clock.advance(0.05)
    await settle()
    service.answer(1, "copy")
    assert await call == "copy"
    assert heard == [("inside", "copy", ""), ("inside", None, "CancelledError"), ("outside", "copy", "")]


async def test_a_breaker_inside_counts_no_cancelled_loser_as_a_failure() -> None:
    """Only answers count."""
    clock, service = ManualClock(), Service()
    breaker = sw.CircuitBreaker("inside", clock=clock)
    guard = sw.Pipeline(sw.Hedge(0.05, **PAID, clock=clock), breaker)
    for round_ in range(10):
        call = asyncio.create_task(guard.call_async(service.ask))
        await settle()
        clock.advance(0.05)
        await settle()
        service.answer(2 * round_ + 1, "copy")
        await call
    stats = breaker.stats()
    assert (stats.successes, stats.failures) == (10, 0)


async def test_a_timeout_inside_bounds_each_copy_and_one_outside_the_call() -> None:
    """A copy may outlive the first one's timeout; the outer one ends both."""
    clock, service = ManualClock(), Service()
    guard = sw.Pipeline(
        sw.Timeout(10, name="outer", clock=clock),
        sw.Hedge(1, **PAID, name="hedge", clock=clock),
        sw.Timeout(2, name="inner", clock=clock),
    )
    call = asyncio.create_task(guard.call_async(service.ask))
    await settle()
    clock.advance(1)
    await settle()
    clock.advance(1)
    await settle()
    assert service.cancelled == [0]
    assert not call.done()
    clock.advance(0.5)
    service.answer(1, "copy")
    assert await call == "copy"
    call = asyncio.create_task(sw.Pipeline(guard["outer"], guard["hedge"]).call_async(service.ask))
    await settle()
    clock.advance(1)
    await settle()
    clock.advance(9)
    with pytest.raises(sw.TimeoutExceeded):
        await call
    assert sorted(service.cancelled) == [0, 2, 3]
    assert clock.waiting == 0


async def test_inside_a_retry_each_attempt_is_hedged() -> None:
    """A refused or failed attempt is made again with copies of its own."""
    clock, service = ManualClock(autojump=False), Service()
    guard = sw.Pipeline(sw.Retry(2, on=OSError, backoff=0, clock=clock), sw.Hedge(1, **PAID, name="hedge", clock=clock))
    call = asyncio.create_task(guard.call_async(service.ask))
    for attempt in (0, 1):
        await settle()
        clock.advance(1)
        await settle()
        assert len(service.calls) == 2 * attempt + 2
        if attempt == 0:
            service.fail(0, OSError("lost"))
            service.fail(1, OSError("lost"))
    service.answer(3, "second attempt's copy")
    assert await call == "second attempt's copy"
    assert guard["hedge"].stats().calls == 2


async def test_outside_a_retry_each_copy_is_retried() -> None:
    """A failing first copy is retried while its copy runs."""
    clock, service = ManualClock(), Service()
    guard = sw.Pipeline(sw.Hedge(1, **PAID, clock=clock), sw.Retry(2, on=OSError, backoff=0, clock=clock))
    call = asyncio.create_task(guard.call_async(service.ask))
    await settle()
    clock.advance(1)
    await settle()
    service.fail(0, OSError("lost"))
    await settle()
    assert len(service.calls) == 3
    service.answer(2, "first copy's second attempt")
    assert await call == "first copy's second attempt"
    assert service.cancelled == [1]


async def test_a_copy_that_a_limit_inside_refuses_ends_nothing() -> None:
    """The first copy's answer is awaited; a refusal of all of them is one to what stands outside."""
    clock, service = ManualClock(), Service()
    breaker = sw.CircuitBreaker("outside", failure_if=lambda outcome: True, clock=clock)
    bulkhead = sw.Bulkhead(1, name="inside", clock=clock)
    guard = sw.Pipeline(breaker, sw.Hedge(1, **PAID, name="hedge", clock=clock), bulkhead)
    call = asyncio.create_task(guard.call_async(service.ask))
    await settle()
    clock.advance(1)
    await settle()
    assert (len(service.calls), bulkhead.stats().refused, call.done()) == (1, 1, False)
    with pytest.raises(sw.BulkheadFull):
        await guard.call_async(service.ask)
    assert breaker.stats().failures == 0
    service.answer(0, "first")
    assert await call == "first"


def test_plain_functions_pass_the_policies_inside_in_the_threads_of_their_copies() -> None:
    """As coroutine functions do."""
    heard: list[tuple[str, Any, str]] = []
    guard = sw.Pipeline(Witness(heard, "outside"), sw.Hedge(3600, **PAID), Witness(heard, "inside"))
    assert guard.call(threading.get_ident) != threading.get_ident()
    assert [name for name, _, _ in heard] == ["inside", "outside"]


async def test_the_same_hedge_decorates_methods_and_plain_functions_of_the_loop() -> None:
    """What `call_async` is given may also be plain: it is called at once, as by every policy."""
    hedge = sw.Hedge(3600, **PAID)

    class Client:
        @hedge
        async def ask(self, key: str, *, more: int = 0) -> tuple[str, int]:
            return key, more

    assert await Client().ask("a", more=2) == ("a", 2)
    assert await hedge.call_async(lambda: 7) == 7  # type: ignore[arg-type, return-value]
    assert Client.ask.__name__ == "ask"
