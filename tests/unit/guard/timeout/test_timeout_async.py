"""A timeout on coroutine functions: who is cancelled, by whom, and what the caller sees."""

from __future__ import annotations

import asyncio
import contextlib
import pickle

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.timeout import TimedOut, TimeoutStats


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def hang() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def test_a_coroutine_is_cancelled_when_its_time_is_up() -> None:
    """The callee sees a cancellation, the caller TimeoutExceeded, listeners an event; nothing stays behind."""
    clock = ManualClock()
    timeout = sw.Timeout(2, name="api", clock=clock)
    told: list[TimedOut] = []
    timeout.timed_out.connect(told.append)
    seen: list[str] = []

    @timeout
    async def work() -> None:
        try:
            await hang()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(work())  # type: ignore[arg-type]
    await settle()
    clock.advance(1.999)
    await settle()
    assert not task.done()
    clock.advance(0.001)
    with pytest.raises(sw.TimeoutExceeded, match=r"^api: no answer within 2 s$") as caught:
        await task
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.after, caught.value.policy) == (2.0, "api")
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert seen == ["cancelled"]
    assert told == [TimedOut("api", 2.0, None, False)]
    assert timeout.stats() == TimeoutStats("api", 2.0, 1, 0, 0, False)
    assert clock.waiting == 0


async def test_a_call_in_time_leaves_no_timer_and_no_cancellation() -> None:
    """Result and error pass; the timer is gone."""
    clock = ManualClock()
    timeout = sw.Timeout(2, clock=clock)

    @timeout
    async def work(error: Exception | None) -> str:
        await asyncio.sleep(0)
        if error:
            raise error
        return "done"

    assert await work(None) == "done"
    with pytest.raises(KeyError):
        await work(KeyError())
    assert clock.waiting == 0
    assert timeout.stats().timed_out == 0


async def test_somebody_elses_cancellation_is_passed_on() -> None:
    """A task cancelled from outside ends cancelled, not timed out."""
    clock = ManualClock()
    task = asyncio.create_task(sw.Timeout(2, clock=clock)(hang)())  # type: ignore[arg-type]
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert clock.waiting == 0


@pytest.mark.parametrize("timer_first", [True, False])
async def test_when_timer_and_cancellation_come_together_the_cancellation_wins(timer_first: bool) -> None:
    """In one round of the loop, in either order: the outer cancel is never swallowed."""
    clock = ManualClock()
    task = asyncio.create_task(sw.Timeout(2, clock=clock)(hang)())  # type: ignore[arg-type]
    await settle()
    if timer_first:
        clock.advance(2)
        asyncio.get_running_loop().call_soon(task.cancel)
    else:
        task.cancel()
        clock.advance(2)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_the_task_is_as_uncancelled_after_a_timeout_as_before() -> None:
    """cancelling() is back at its count, so that later awaits and an outer asyncio.timeout are not disturbed."""
    clock = ManualClock(autojump=True)
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(sw.TimeoutExceeded):
        await sw.Timeout(1, clock=clock)(hang)()
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_asyncio_timeout_outside_keeps_its_own_time() -> None:
    """The outer asyncio.timeout ends the call: its TimeoutError, not ours."""
    timeout = sw.Timeout(60)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0):
            await timeout(hang)()
    assert not isinstance(caught.value, sw.TimeoutExceeded)
    assert timeout.stats().timed_out == 0


async def test_asyncio_timeout_inside_keeps_its_own_time() -> None:
    """The inner one's TimeoutError is an error of the callee; the outer time is not up."""
    timeout = sw.Timeout(60)

    @timeout
    async def work() -> None:
        async with asyncio.timeout(0):
            await hang()

    with pytest.raises(TimeoutError) as caught:
        await work()
    assert not isinstance(caught.value, sw.TimeoutExceeded)


async def test_asyncio_timeout_inside_and_ours_first() -> None:
    """Ours cancels through an inner asyncio.timeout, which leaves the cancellation alone."""
    clock = ManualClock(autojump=True)

    @sw.Timeout(1, clock=clock)
    async def work() -> None:
        async with asyncio.timeout(3600):
            await hang()

    with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within 1 s$"):
        await work()


async def test_a_task_group_inside_is_cancelled_as_a_whole() -> None:
    """Children are cancelled, and the caller gets one TimeoutExceeded, no group."""
    clock = ManualClock(autojump=True)
    ended: list[int] = []

    async def child(i: int) -> None:
        try:
            await hang()
        finally:
            ended.append(i)

    @sw.Timeout(1, clock=clock)
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            for i in range(3):
                group.create_task(child(i))

    with pytest.raises(sw.TimeoutExceeded):
        await work()
    assert sorted(ended) == [0, 1, 2]


async def test_a_task_group_outside_sees_an_ordinary_error() -> None:
    """A child that times out fails its group; its siblings are cancelled."""
    clock = ManualClock()
    timeout = sw.Timeout(1, clock=clock)

    async def family() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(timeout(hang)())  # type: ignore[arg-type]
            group.create_task(hang())
            await settle()
            clock.advance(1)

    with pytest.raises(ExceptionGroup) as caught:
        await family()
    assert [type(e) for e in caught.value.exceptions] == [sw.TimeoutExceeded]


async def test_timeouts_nest_and_the_sooner_one_ends_the_call() -> None:
    """The inner, longer timeout honours what the outer one leaves; each error says whose time was up."""
    clock = ManualClock(autojump=True)
    inner, outer = sw.Timeout(60, name="inner", clock=clock), sw.Timeout(1, name="outer", clock=clock)
    with pytest.raises(TimeoutError) as caught:
        await outer(inner(hang))()
    assert clock.time() == 1.0
    assert str(caught.value) == "outer: no answer within 1 s"
    with pytest.raises(sw.TimeoutExceeded, match=r"^outer: no answer within 1 s$"):
        await inner(outer(hang))()


async def test_a_callee_that_swallows_the_cancellation_does_not_pass_as_in_time() -> None:
    """Its result came after its time was up and is dropped."""
    clock = ManualClock(autojump=True)

    @sw.Timeout(1, clock=clock)
    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await hang()
        return "late"

    with pytest.raises(sw.TimeoutExceeded):
        await stubborn()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_an_error_while_being_cancelled_is_passed_on() -> None:
    """What went wrong in the callee's cleanup says more than that time was up."""
    clock = ManualClock(autojump=True)

    @sw.Timeout(1, clock=clock)
    async def work() -> None:
        try:
            await hang()
        finally:
            raise LookupError("cleanup")

    with pytest.raises(LookupError, match="cleanup"):
        await work()


async def test_moving_the_clock_inside_the_callee_does_not_cancel_what_comes_after() -> None:
    """The timer fires in the loop, not inside the call: a late result is dropped, and the next await is undisturbed."""
    clock = ManualClock()

    @sw.Timeout(1, clock=clock)
    async def work() -> str:
        clock.advance(5)
        return "late"

    with pytest.raises(
        sw.TimeoutExceeded, match=r"^timeout: the answer came after 5 s, 1 s were given; it is dropped$"
    ):
        await work()
    await settle()


async def test_a_deadline_in_context_ends_the_call_and_the_error_says_so() -> None:
    """What the caller's deadline leaves is less than the timeout."""
    clock = ManualClock(autojump=True)
    timeout = sw.Timeout(60, clock=clock)
    with sw.Deadline(1, clock=clock):
        with pytest.raises(sw.TimeoutExceeded, match=r"^timeout: no answer within the caller's deadline, 1 s$"):
            await timeout(hang)()
        with pytest.raises(sw.DeadlineExceeded, match=r"^timeout: the deadline had passed before the call was made$"):
            await timeout(hang)()


async def test_the_deadline_reaches_tasks_the_callee_starts() -> None:
    """Context carries it across tasks, and it is gone after the call."""
    clock = ManualClock()

    async def left() -> float | None:
        deadline = sw.Deadline.current()
        return None if deadline is None else deadline.remaining()

    @sw.Timeout(3, clock=clock)
    async def work() -> float | None:
        return await asyncio.create_task(left())

    assert await work() == 3.0
    assert await left() is None


async def test_shadow_measures_and_ends_nothing() -> None:
    """The call goes on, and is counted."""
    clock = ManualClock()
    timeout = sw.Timeout(1, clock=clock, shadow=True)

    @timeout
    async def work() -> str:
        clock.advance(2)
        await asyncio.sleep(0)
        assert sw.Deadline.current() is None
        return "done"

    assert await work() == "done"
    assert timeout.stats().let_through == 1


async def test_half_enforced_ends_every_second_call() -> None:
    """The share of calls that end is exact, and a pardoned one runs to its end."""
    clock = ManualClock()
    timeout = sw.Timeout(1, clock=clock, enforce=0.5)
    go = asyncio.Event()
    tasks = [asyncio.create_task(timeout(go.wait)()) for _ in range(4)]  # type: ignore[arg-type]
    await settle()
    clock.advance(1)
    await settle()
    go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["TimeoutExceeded", "TimeoutExceeded", "bool", "bool"]
    assert timeout.stats().let_through == 2


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), None, True, "1"])
def test_a_time_that_bounds_nothing_is_refused(seconds: object) -> None:
    """Zero, infinity and None are no timeouts; the message says what is."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Timeout(seconds)  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"seconds must be above 0 to 31536000 s, got {seconds!r}; "
        "time for each call; a call without a bound needs no Timeout"
    )


def test_the_error_and_the_policy_pickle() -> None:
    """Both cross into process pools with what they say; a ManualClock stays where it is."""
    again = pickle.loads(pickle.dumps(sw.Timeout(2, name="api", enforce=0.5)))
    assert (again.seconds, again.name, again.enforce) == (2.0, "api", 0.5)
    error = pickle.loads(pickle.dumps(sw.TimeoutExceeded("late", after=2.0, policy="api")))
    assert (str(error), error.after, error.policy) == ("late", 2.0, "api")
    with pytest.raises(TypeError, match=r"^Timeout 'timeout' cannot be pickled with ManualClock\(0\)$"):
        pickle.dumps(sw.Timeout(2, clock=ManualClock()))


async def test_a_coroutine_that_is_closed_leaves_no_timer_and_no_deadline() -> None:
    """Closed while it waits: the policies are told, nothing fires later."""
    clock = ManualClock()
    timeout = sw.Timeout(2, clock=clock)
    waiting = timeout(hang)()
    waiting.send(None)  # type: ignore[attr-defined]
    assert clock.waiting == 1
    waiting.close()  # type: ignore[attr-defined]
    assert clock.waiting == 0
    assert sw.Deadline.current() is None
    clock.advance(2)
    await settle()
    assert timeout.stats().timed_out == 0


async def test_a_cancellation_from_before_the_call_is_not_taken_for_ours() -> None:
    """In a task that is being cancelled (its cleanup), a timeout still ends the cleanup's call as a timeout."""
    clock = ManualClock()
    outcome: list[str] = []

    async def work() -> None:
        try:
            await hang()
        finally:
            try:
                await sw.Timeout(1, clock=clock)(hang)()
            except sw.TimeoutExceeded:
                outcome.append("timed out")

    task = asyncio.create_task(work())
    await settle()
    task.cancel()
    await settle()
    clock.advance(1)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outcome == ["timed out"]
