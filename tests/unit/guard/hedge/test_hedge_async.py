"""A hedge on coroutine functions: when a copy is made, who wins, who is cancelled, and what the caller sees."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from tests.unit.guard.hedge.service import Service, settle

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.hedge import Hedged, HedgeStats, WonByCopy

PAID: dict[str, Any] = {"idempotent": True, "budget": None}


def begin(hedge: Any, service: Service) -> asyncio.Task[Any]:
    """One hedged call, in a task."""
    return asyncio.create_task(hedge.call_async(service.ask))


async def test_a_call_that_takes_long_is_made_again_and_the_copy_may_win() -> None:
    """The loser is cancelled, events tell of both, and no timer or task stays behind."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, name="reads", clock=clock)
    told: list[Any] = []
    hedge.hedged.connect(told.append)
    hedge.won_by_copy.connect(told.append)
    call = begin(hedge, service)
    await settle()
    clock.advance(0.049)
    await settle()
    assert len(service.calls) == 1
    clock.advance(0.001)
    await settle()
    assert len(service.calls) == 2
    clock.advance(0.01)
    service.answer(1, "copy")
    assert await call == "copy"
    assert service.cancelled == [0]
    assert told == [Hedged("reads", 2, 0.05), WonByCopy("reads", 2, 0.06)]
    assert hedge.stats() == HedgeStats("reads", 0.05, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, False)
    assert clock.waiting == 0
    assert len(asyncio.all_tasks()) == 1
    assert not call.cancelling()


async def test_a_call_in_time_is_made_once() -> None:
    """Its result and its error pass; the timer is gone, and no task was made."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock)
    first, second = begin(hedge, service), begin(hedge, service)
    await settle()
    service.answer(0, "done")
    service.fail(1, KeyError("gone"))
    assert await first == "done"
    with pytest.raises(KeyError, match=r"^'gone'$"):
        await second
    assert (hedge.stats().hedged, clock.waiting, len(service.calls)) == (0, 0, 2)


async def test_the_first_copy_may_still_win() -> None:
    """Then the later one is cancelled and has ended when the caller goes on."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock)
    call = begin(hedge, service)
    await settle()
    clock.advance(0.05)
    await settle()
    service.answer(0, "first")
    assert await call == "first"
    assert service.cancelled == [1]
    assert (hedge.stats().hedged, hedge.stats().won_by_copy) == (1, 0)


@pytest.mark.parametrize(("fails", "wins"), [(0, 1), (1, 0)])
async def test_a_failing_copy_does_not_end_the_call_while_another_runs(fails: int, wins: int) -> None:
    """Whichever of the two it is."""
    clock, service = ManualClock(), Service()
    call = begin(sw.Hedge(0.05, **PAID, clock=clock), service)
    await settle()
    clock.advance(0.05)
    await settle()
    service.fail(fails, OSError("lost"))
    await settle()
    assert not call.done()
    service.answer(wins, "good")
    assert await call == "good"
    assert service.cancelled == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_when_all_copies_fail_the_first_ones_error_tells_of_the_others(order: tuple[int, int]) -> None:
    """In whichever order they failed."""
    clock, service = ManualClock(), Service()
    call = begin(sw.Hedge(0.05, **PAID, name="reads", clock=clock), service)
    await settle()
    clock.advance(0.05)
    await settle()
    errors = (OSError("lost"), ValueError("nonsense"))
    for number in order:
        service.fail(number, errors[number])
        await settle()
    with pytest.raises(OSError, match=r"^lost\n") as caught:
        await call
    assert caught.value.__notes__ == ["reads: copy 1 of 2; copy 2: ValueError: nonsense"]


async def test_up_to_max_copies_run_at_once() -> None:
    """Each so long after the one before; then no more."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(1, **PAID, max_copies=3, clock=clock)
    call = begin(hedge, service)
    made = []
    for _ in range(5):
        await settle()
        made.append(len(service.calls))
        clock.advance(1)
    assert made == [1, 2, 3, 3, 3]
    service.answer(2, "third")
    assert await call == "third"
    assert sorted(service.cancelled) == [0, 1]


async def test_cancelling_the_caller_cancels_all_copies() -> None:
    """They have ended when the caller has; nothing is counted as won or failed."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock)
    call = begin(hedge, service)
    await settle()
    clock.advance(0.05)
    await settle()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert sorted(service.cancelled) == [0, 1]
    assert (len(asyncio.all_tasks()), clock.waiting, hedge.stats().won_by_copy) == (1, 0, 0)


async def test_a_cancellation_that_comes_with_a_copys_answer_wins() -> None:
    """The hedge cancels the first copy in the caller's task; that never hides somebody else's cancellation."""
    clock, service, lost = ManualClock(), Service(), []
    call = begin(sw.Hedge(0.05, **PAID, clock=clock, discard=lost.append), service)
    await settle()
    clock.advance(0.05)
    await settle()
    service.answer(1, "copy")
    for _ in range(50):
        await asyncio.sleep(0)
        if call.cancelling():
            break
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert call.cancelled()


async def test_a_loser_that_takes_its_time_to_end_is_waited_for() -> None:
    """No copy is at work when the answer is given, nor when a cancelled caller goes on."""
    clock, gate, log = ManualClock(), asyncio.Event(), []

    async def slow_to_leave() -> str:
        log.append("began")
        if len(log) == 2:
            return "copy"
        try:
            await asyncio.Event().wait()
        finally:
            await gate.wait()
            log.append("left")
        return ""

    call = asyncio.create_task(sw.Hedge(0.05, **PAID, clock=clock).call_async(slow_to_leave))
    await settle()
    clock.advance(0.05)
    await settle()
    assert not call.done()
    gate.set()
    assert await call == "copy"
    assert log == ["began", "began", "left"]


async def test_a_first_copy_that_swallows_its_cancellation_has_lost_all_the_same() -> None:
    """Its late answer is discarded, and the caller's task is not left cancelled."""
    clock, lost, calls = ManualClock(), [], []

    async def stubborn() -> str:
        calls.append(1)
        if len(calls) == 2:
            return "copy"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        return ""

    async def caller() -> tuple[str, int]:
        answer = await sw.Hedge(0.05, **PAID, clock=clock, discard=lost.append).call_async(stubborn)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return answer, task.cancelling()

    call = asyncio.create_task(caller())
    await settle()
    clock.advance(0.05)
    assert await call == ("copy", 0)
    assert lost == ["late"]


async def test_what_is_no_good_answer_fails_its_copy() -> None:
    """A bad result waits for the other copy; when none is good, the first one's is returned."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock, good=lambda result: result != 503)
    calls = [begin(hedge, service), begin(hedge, service)]
    await settle()
    clock.advance(0.05)
    await settle()
    for number in (0, 1):
        service.answer(number, 503)
    service.answer(2, 200)
    service.fail(3, OSError("lost"))
    assert [await call for call in calls] == [200, 503]


async def test_a_copy_has_the_callers_context_and_changes_none() -> None:
    """What a copy sets stays in the copy; what the first one sets is the caller's, as without a hedge."""
    clock, where = ManualClock(), contextvars.ContextVar("where", default="nowhere")
    seen: list[str] = []
    gate = asyncio.Event()

    async def work() -> None:
        seen.append(where.get())
        where.set(f"copy {len(seen)}")
        await gate.wait()

    async def caller() -> str:
        where.set("caller")
        await sw.Hedge(0.05, **PAID, clock=clock).call_async(work)
        return where.get()

    call = asyncio.create_task(caller())
    await settle()
    clock.advance(0.05)
    await settle()
    gate.set()
    assert await call == "copy 1"
    assert seen == ["caller", "caller"]


async def test_what_may_not_be_made_twice_is_not() -> None:
    """A predicate of the arguments says so of each call; an error of its own is the call's."""
    clock = ManualClock()
    calls: list[str] = []
    gate = asyncio.Event()
    hedge = sw.Hedge(
        0.05, idempotent=lambda method, **_: {"GET": True, "POST": False}[method], clock=clock, budget=None
    )

    @hedge
    async def ask(method: str, *, url: str) -> None:
        calls.append(method)
        await gate.wait()

    tasks = [asyncio.create_task(ask(method, url="/")) for method in ("GET", "POST")]  # type: ignore[arg-type]
    await settle()
    clock.advance(1)
    await settle()
    gate.set()
    await asyncio.gather(*tasks)
    assert calls == ["GET", "POST", "GET"]
    assert hedge.stats().not_idempotent == 1
    with pytest.raises(KeyError, match=r"^'PUT'$"):
        await ask("PUT", url="/")


async def test_without_budget_no_copy_is_made() -> None:
    """One in ten, counted over all calls."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, idempotent=True, budget=0.1, clock=clock)
    calls = [begin(hedge, service) for _ in range(25)]
    await settle()
    clock.advance(0.05)
    await settle()
    assert len(service.calls) == 27
    assert (hedge.stats().hedged, hedge.stats().over_budget) == (2, 23)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_no_copy_is_made_that_the_deadline_leaves_no_time_for() -> None:
    """With too little known, any time left is enough; later it must be what half of the calls take."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(1.0, **PAID, clock=clock)

    async def within(seconds: float) -> Any:
        with sw.Deadline(seconds, clock=clock):
            return await hedge.call_async(service.ask)

    passed, left = asyncio.create_task(within(1.0)), asyncio.create_task(within(1.1))
    await settle()
    clock.advance(1.0)
    await settle()
    assert (len(service.calls), hedge.stats().too_late) == (3, 1)
    service.answer(0, "")
    service.answer(1, "")
    await asyncio.gather(passed, left)
    for number in range(3, 203):  # half a second each
        call = begin(hedge, service)
        await settle()
        clock.advance(0.5)
        service.answer(number, "")
        await call
    tasks = [asyncio.create_task(within(seconds)) for seconds in (1.4, 1.6)]
    await settle()
    clock.advance(1.0)
    await settle()
    assert (len(service.calls), hedge.stats().too_late) == (206, 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_call_thrown_away_leaves_no_copy_at_work() -> None:
    """Closing the coroutine closes the first copy and cancels the others; nobody awaits them, but they end."""
    clock, service = ManualClock(), Service()
    flight = sw.Hedge(0.05, **PAID, clock=clock)(service.ask)()
    flight.send(None)
    clock.advance(0.05)
    await settle()
    assert len(service.calls) == 2
    flight.close()
    await settle()
    assert service.cancelled == [1]
    assert (len(asyncio.all_tasks()), clock.waiting) == (1, 0)


async def test_in_shadow_nothing_is_hedged_and_it_is_counted_what_would_have_been() -> None:
    """Calls that took longer count."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock, shadow=True)
    call = begin(hedge, service)
    await settle()
    clock.advance(0.06)
    await settle()
    service.answer(0, "alone")
    assert await call == "alone"
    assert (len(service.calls), hedge.stats().let_through, hedge.stats().shadow) == (1, 1, True)


async def test_only_the_enforced_share_is_hedged() -> None:
    """Every second one, by one half."""
    clock, service = ManualClock(), Service()
    hedge = sw.Hedge(0.05, **PAID, clock=clock, enforce=0.5)
    calls = [begin(hedge, service) for _ in range(10)]
    await settle()
    clock.advance(0.05)
    await settle()
    assert (len(service.calls), hedge.stats().hedged, hedge.stats().let_through) == (15, 5, 5)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_two_good_answers_at_once_are_one_answer() -> None:
    """The other is discarded, by a coroutine function too; what that raises fails nobody."""
    clock, service, lost = ManualClock(), Service(), []

    async def close(result: str) -> None:
        lost.append(result)
        raise OSError("already closed")

    hedge = sw.Hedge(0.05, **PAID, clock=clock, discard=close)
    call = begin(hedge, service)
    await settle()
    clock.advance(0.05)
    await settle()
    service.answer(1, "second")
    service.answer(0, "first")
    assert await call == "first"
    await settle()
    assert lost == ["second"]


def test_one_hedge_serves_several_loops() -> None:
    """One after the other, and without one left over from before."""
    hedge = sw.Hedge(30, **PAID)

    async def work() -> int:
        await asyncio.sleep(0)
        return 1

    assert [asyncio.run(hedge.call_async(work)) for _ in range(3)] == [1, 1, 1]
