"""An adaptive limit: who is admitted, what a call teaches, what is told."""

from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.adaptive import LimitChanged, Permit
from seawall.guard.bulkhead import BulkheadRefused


def made(clock: ManualClock | None = None, **options: Any) -> sw.AdaptiveLimit:
    """With windows of ten calls."""
    return sw.AdaptiveLimit(**{"initial": 2, "min_samples": 10, "name": "search", "clock": clock, **options})


def taught(limit: sw.AdaptiveLimit) -> tuple[int, int, int]:
    """Samples, dropped, ignored."""
    stats = limit.stats()
    return stats.samples, stats.dropped, stats.ignored


def fill(limit: sw.AdaptiveLimit, clock: ManualClock, seconds: float, times: int = 10) -> None:
    """As many calls at once as may be, `times` over."""
    for _ in range(times):
        permits = [limit.enter() for _ in range(limit.limit)]
        clock.advance(seconds)
        for permit in permits:
            permit.success()


def test_as_many_are_admitted_as_the_limit_says_and_the_next_is_refused() -> None:
    """With the policy, the state, and nothing to say of a time before anything was measured."""
    limit = made()
    told: list[BulkheadRefused] = []
    limit.refused.connect(told.append)
    with limit.enter(), limit.enter():
        assert limit.try_enter() is None
        with pytest.raises(sw.BulkheadFull) as caught:
            limit(lambda: None)()
    assert str(caught.value) == "search is full: 2 of 2 calls in flight, 0 of 0 in line"
    assert (caught.value.policy, caught.value.state, caught.value.retry_after) == ("search", "full", None)
    assert told == [BulkheadRefused("search", "full", 2, 0)]
    stats = limit.stats()
    assert (stats.in_flight, stats.admitted, stats.refused) == (0, 2, 2)


def test_a_refusal_says_when_a_place_is_expected() -> None:
    """A place comes free every latency / limit seconds."""
    clock = ManualClock()
    limit = made(clock, max_limit=2)
    fill(limit, clock, 0.2)
    with limit.enter(), limit.enter(), pytest.raises(sw.BulkheadFull) as caught:
        limit.enter()
    assert caught.value.retry_after == pytest.approx(0.1, rel=0.05)
    assert pickle.loads(pickle.dumps(caught.value)).retry_after == caught.value.retry_after


def test_the_limit_grows_while_all_of_it_is_used_and_says_so() -> None:
    """Windows of equal latency: the limit goes up, is told, and admits more."""
    clock = ManualClock()
    limit = made(clock)
    told: list[LimitChanged] = []
    limit.limit_changed.connect(told.append)
    fill(limit, clock, 0.02, 40)
    assert limit.limit > 4
    assert told[0].name == "search"
    assert (told[0].before, told[0].why) == (2.0, "grown")
    assert told[0].after == pytest.approx(2 + 0.3**0.5 * 2)
    stats = limit.stats()
    assert stats.baseline == pytest.approx(0.02, rel=0.05)
    assert stats.latency == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, (1, 0, 0)),
        (TimeoutError(), (0, 1, 0)),
        (sw.TimeoutExceeded("slow", after=1.0), (0, 1, 0)),
        (ValueError("no"), (0, 0, 1)),
        (sw.RateLimited("by somebody inside"), (0, 0, 1)),
        (KeyboardInterrupt(), (0, 0, 1)),
        (asyncio.CancelledError(), (0, 0, 1)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("how", ["call", "call_async", "permit", "with"])
async def test_what_a_call_teaches(error: BaseException | None, expected: tuple[int, int, int], how: str) -> None:
    """Only a call that was answered has a latency, and only timeouts and overload shrink; the place is given back."""
    limit = made()

    def work() -> None:
        if error is not None:
            raise error

    async def work_async() -> None:
        work()

    async def by() -> None:
        if how == "call":
            limit.call(work)
        elif how == "call_async":
            await limit.call_async(work_async)
        else:
            with limit.enter() if how == "permit" else limit:
                work()

    if error is None:
        await by()
    else:
        with pytest.raises(type(error)) as caught:
            await by()
        assert caught.value is error
    assert taught(limit) == expected
    assert limit.stats().in_flight == 0


def test_an_inner_policy_that_refuses_teaches_nothing_and_one_that_times_out_does() -> None:
    """A refusal was never sent to the callee; a timeout was, and is a dropped call."""
    clock = ManualClock()
    limit = made(clock)
    inner = sw.Bulkhead(1)
    guarded = sw.Pipeline(limit, inner)(lambda: None)
    with inner, pytest.raises(sw.BulkheadFull):
        guarded()
    assert taught(limit) == (0, 0, 1)
    slow = sw.Pipeline(limit, sw.Timeout(1, clock=clock))(lambda: clock.advance(2))
    with pytest.raises(sw.TimeoutExceeded):
        slow()
    assert taught(limit) == (0, 1, 1)


def test_dropped_if_judges_results_and_errors() -> None:
    """A response with a status is a result: the user says which of them are overload."""
    limit = made(dropped_if=lambda value: value == 503 or isinstance(value, ValueError))
    assert [limit.call(lambda status=status: status) for status in (200, 503)] == [200, 503]
    with pytest.raises(ValueError, match="no"):
        limit.call(int, "no")
    with pytest.raises(TimeoutError), limit.enter():
        raise TimeoutError
    assert taught(limit) == (1, 2, 1)


def test_a_fault_in_dropped_if_is_told_and_gives_the_place_back() -> None:
    """The user's own error comes out, with a note; the call teaches nothing."""
    limit = made(dropped_if=lambda value: value.status)
    with pytest.raises(AttributeError, match="has no attribute 'status'") as caught:
        limit.call(lambda: 3)
    assert caught.value.__notes__ == ["dropped_if of AdaptiveLimit 'search' raised this"]
    assert (limit.stats().in_flight, taught(limit)) == (0, (0, 0, 1))


async def test_generators_hold_a_place_and_teach_no_latency() -> None:
    """Between its items the caller runs: that is not the callee's time."""
    limit = made()

    @limit
    def numbers() -> Iterator[int]:
        yield limit.stats().in_flight

    @limit
    async def more() -> AsyncIterator[int]:
        yield limit.stats().in_flight

    assert list(numbers()) == [1]
    assert [number async for number in more()] == [1]
    assert (limit.stats().in_flight, taught(limit)) == (0, (0, 0, 2))


async def test_who_waits_is_admitted_in_order_and_when_the_limit_grows() -> None:
    """A decision that adds places hands them to the line."""
    clock = ManualClock()
    limit = made(clock, max_queue=10)
    permits = [limit.enter() for _ in range(2)]
    waiting = [asyncio.create_task(limit.enter_async()) for _ in range(4)]
    await asyncio.sleep(0)
    assert limit.stats().queued == 4
    for _ in range(30):
        clock.advance(0.02)
        for permit in permits:
            permit.success()
        permits = [task.result() for task in waiting if task.done()]
        waiting = [task for task in waiting if not task.done()]
        waiting += [asyncio.create_task(limit.enter_async()) for _ in range(6 - len(waiting))]
        for _ in range(5):
            await asyncio.sleep(0)
    assert limit.limit > 2
    assert limit.stats().in_flight == min(limit.limit, limit.stats().in_flight)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for permit in (*permits, *(task.result() for task in waiting if not task.cancelled())):
        permit.ignore()
    assert (limit.stats().in_flight, limit.stats().queued) == (0, 0)


async def test_the_wait_in_line_is_not_the_callees_latency() -> None:
    """What a call takes is measured from when it has its place."""
    clock = ManualClock()
    limit = made(clock, initial=1, max_queue=1, max_limit=1)

    async def work() -> None:
        clock.advance(0.01)

    for _ in range(12):
        held = limit.enter()
        waiting = asyncio.create_task(limit.call_async(work))
        await asyncio.sleep(0)
        clock.advance(0.5)
        held.ignore()
        await waiting
    assert limit.stats().latency == pytest.approx(0.01, rel=0.05)


def test_a_deadline_ends_the_wait() -> None:
    """As in a bulkhead, and the state says which of both it was."""
    clock = ManualClock(autojump=True)
    limit = made(clock, initial=1, max_queue=1, max_wait=2.0)
    with limit.enter():
        with pytest.raises(sw.BulkheadFull, match=r"^search is full: no place within 2 s$"):
            limit.enter()
        with sw.Deadline(0.5, clock=clock), pytest.raises(sw.BulkheadFull) as caught:
            limit.enter()
    assert caught.value.state == "deadline"
    assert clock.time() == 2.5


def test_a_permit_is_answered_once_and_a_lost_one_gives_its_place_back() -> None:
    """A second answer changes nothing."""
    limit = made()
    permit = limit.enter()
    permit.success()
    permit.dropped()
    assert taught(limit) == (1, 0, 0)
    assert repr(permit) == "<Permit of 'search' answered>"
    limit.enter()
    gc.collect()
    assert (limit.stats().in_flight, taught(limit)) == (0, (1, 0, 1))
    with pytest.raises(TypeError, match=r"^a Permit comes from AdaptiveLimit\.enter\(\) or try_enter\(\)$"):
        Permit()


async def test_with_finds_its_own_permit_among_tasks() -> None:
    """One object entered by many: each leaves with the permit it entered with."""
    clock = ManualClock()
    limit = made(clock, initial=5)

    async def one(steps: int) -> None:
        async with limit as permit:
            assert repr(permit) == "<Permit of 'search'>"
            for _ in range(steps):
                await asyncio.sleep(0)

    await asyncio.gather(*(one(steps) for steps in (3, 1, 4, 1, 5)))
    assert (limit.stats().in_flight, taught(limit)) == (0, (5, 0, 0))
    with pytest.raises(
        RuntimeError, match=r"^adaptive limit 'search' was entered in another context than it is left in"
    ):
        limit.__exit__(None, None, None)


def test_shadow_refuses_nobody() -> None:
    """It decides and counts; what it lets through is not in flight for it."""
    limit = made(initial=1, shadow=True)
    guarded = limit(lambda: limit.stats().in_flight)
    with limit.enter():
        assert guarded() == 1
    assert (limit.stats().refused, limit.stats().let_through) == (1, 1)


def test_new_bounds_hold_at_once_and_a_bad_one_changes_nothing() -> None:
    """The limit goes on from where it is, within the bounds."""
    limit = made(initial=20)
    limit.reconfigure(max_limit=10, initial=10, max_queue=3)
    assert (limit.limit, limit.stats().max_queue) == (10, 3)
    with pytest.raises(sw.ConfigError, match=r"^initial must be from min_limit to max_limit, 50 to 10, got 10$"):
        limit.reconfigure(min_limit=50)
    assert limit.limit == 10
    limit.reconfigure(max_limit=100, initial=100, min_limit=1)
    assert limit.limit == 20


def test_a_pipeline_reloads_it_without_forgetting() -> None:
    """The running limit follows the new options."""
    old = {"policies": [{"type": "adaptive_limit", "name": "search", "initial": 5, "algorithm": {"kind": "aimd"}}]}
    guard = sw.Pipeline.from_dict(old)
    (limit,) = guard.policies
    assert repr(limit) == "<AdaptiveLimit 'search': 0 of 5 in flight, 0 of 0 queued, starting>"
    new = {"policies": [{**old["policies"][0], "initial": 5, "max_queue": 7}]}
    assert guard.reload(new) == ("AdaptiveLimit 'search' follows",)
    assert guard.policies == (limit,)
    assert limit.stats().max_queue == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"algorithm": "vegas"},
            "algorithm must be Gradient(...), Vegas(...) or AIMD(...), got 'vegas'; by which rule",
        ),
        ({"initial": 0}, "initial must be 1 to 1048576, got 0; calls in flight at the beginning"),
        ({"min_samples": 5}, "min_samples must be 10 to 1000000, got 5; nothing is decided on fewer calls"),
        ({"max_wait": 1.0}, "max_wait=1.0 has no effect without a line; give max_queue="),
        ({"dropped_if": 503}, "dropped_if must be a function or None, got 503; whether a result"),
        ({"initial": 5000}, "initial must be from min_limit to max_limit, 1 to 1000, got 5000"),
    ],
)
def test_options_that_can_never_work_are_refused(options: dict[str, Any], message: str) -> None:
    """The error names the option, the value, the range and what it is for."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.AdaptiveLimit(**options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sw.Gradient(tolerance=0.5), "Gradient(tolerance=) must be 1 to 100, got 0.5"),
        (lambda: sw.Gradient(smoothing=0), "Gradient(smoothing=) must be above 0 to 1, got 0"),
        (lambda: sw.Vegas(alpha=7), "Vegas(beta=) must be 7 to 1000, got 6.0"),
        (lambda: sw.AIMD(backoff=1), "AIMD(backoff=) must be 0.5 to 0.99, got 1"),
        (lambda: sw.AIMD(increase=float("nan")), "AIMD(increase=) must be above 0 to 1000, got nan"),
    ],
)
def test_algorithms_refuse_what_can_never_work(make: Any, message: str) -> None:
    """With the value and the range."""
    with pytest.raises(sw.ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_it_cannot_be_pickled() -> None:
    """A copy in another process would be a second limit."""
    with pytest.raises(TypeError, match=r"^AdaptiveLimit 'search' cannot be pickled: a copy in another process"):
        pickle.dumps(made())


def test_what_was_not_made_or_is_made_twice_says_so() -> None:
    """No crash, and nothing in flight is forgotten."""
    unmade = sw.AdaptiveLimit.__new__(sw.AdaptiveLimit)
    with pytest.raises(TypeError, match=r"^AdaptiveLimit\.__init__ was not called$"):
        unmade._permit()
    limit = made()
    with limit, pytest.raises(TypeError, match=r"^AdaptiveLimit\.__init__ may be called once$"):
        limit.__init__()  # type: ignore[misc]
    assert limit.stats().admitted == 1
