"""What other breakers get wrong, each named after the behaviour."""

import asyncio
import pickle
import threading
from pathlib import Path

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen


def test_late_success_does_not_close_an_open_breaker(clock: ManualClock) -> None:
    """A call from before the trip that succeeds after it changes nothing (circuitbreaker 2.1)."""
    breaker = breaker_at(clock)
    early = breaker.enter()
    fail(breaker, 2)
    early.success()
    assert (breaker.state, breaker.stats().late) == ("open", 1)
    assert not breaker.try_enter()


def test_half_open_admits_one_of_twenty(clock: ManualClock) -> None:
    """Twenty calls at once, one probe (circuitbreaker, purgatory, hyx, pyresilience admit all)."""
    breaker = opened(clock)
    clock.advance(2)
    answers = [breaker.try_enter() for _ in range(20)]
    assert [bool(answer) for answer in answers] == [True] + [False] * 19


async def test_half_open_admits_one_of_twenty_tasks(clock: ManualClock) -> None:
    """The same for tasks that all wait inside."""
    breaker, gate = opened(clock), asyncio.Event()
    clock.advance(2)

    @breaker
    async def call() -> None:
        await gate.wait()

    tasks = [asyncio.ensure_future(call()) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ended] == [type(None)] + [CircuitOpen] * 19
    assert breaker.state == "closed"


async def test_cancellation_does_not_open_a_healthy_breaker(clock: ManualClock) -> None:
    """A hundred clients that hang up are nobody's failure (purgatory)."""
    breaker = breaker_at(clock)

    @breaker
    async def call() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.ensure_future(call()) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (breaker.state, breaker.stats().failures, breaker.stats().ignored) == ("closed", 0, 100)


async def test_a_cancelled_probe_does_not_close_the_breaker(clock: ManualClock) -> None:
    """It leaves its place to the next (circuitbreaker 2.1 closes)."""
    breaker, probe = probing(clock)
    probe.ignore()

    @breaker
    async def call() -> None:
        await asyncio.Event().wait()

    task = asyncio.ensure_future(call())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert breaker.state == "half_open"
    assert breaker.enter().is_probe


def test_the_wall_clock_does_not_matter(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of the machine's date opens and closes nothing (purgatory, limits, hyx, pybreaker)."""
    breaker = opened(clock)
    import time

    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert not breaker.try_enter()
    assert breaker.try_enter().retry_after == 2.0


def test_no_lock_is_held_across_the_call(clock: ManualClock) -> None:
    """Eight threads are inside one breaker at the same time (pybreaker runs them one after the other)."""
    breaker, inside = breaker_at(clock), threading.Barrier(8, timeout=30)
    guarded = breaker(inside.wait)
    threads = [threading.Thread(target=guarded) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken
    assert breaker.stats().successes == 8


async def test_failures_of_async_def_are_counted(clock: ManualClock) -> None:
    """The failure is that of the awaited call, not of making the coroutine (pybreaker counts none)."""
    breaker = breaker_at(clock)

    @breaker
    async def call() -> None:
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await call()
    assert breaker.state == "open"


def test_a_with_block_is_refused_while_open_and_does_not_close(clock: ManualClock) -> None:
    """`with breaker:` rejects, and leaving a block does not close it (circuitbreaker 2.1)."""
    breaker = opened(clock)
    with pytest.raises(CircuitOpen), breaker:
        raise AssertionError("must not be entered")
    assert breaker.state == "open"


def test_ratio_one_trips_when_everything_fails(clock: ManualClock) -> None:
    """Reached is enough: failure_ratio=1.0 opens when all calls fail (Sentinel asks for more than all)."""
    breaker = breaker_at(clock, consecutive=None, failure_ratio=1.0, min_calls=5)
    fail(breaker, 5)
    assert breaker.state == "open"


def test_leaked_probes_do_not_leave_it_half_open_for_ever(clock: ManualClock) -> None:
    """Probes that nobody answers are replaced when their leases end (resilience4j #544, #903, #935, #1389)."""
    breaker, leaked = probing(clock, probes=3, lost_after=8)
    held = [leaked, breaker.enter(), breaker.enter()]
    assert not breaker.try_enter()
    clock.advance(8)
    again = [breaker.enter() for _ in range(3)]
    assert breaker.stats().lost == 3
    for probe in again:
        probe.success()
    assert breaker.state == "closed"
    for probe in held:
        probe.failure()
    assert (breaker.state, breaker.stats().late) == ("closed", 3)


def test_shared_breakers_and_their_refusals_pickle(clock: ManualClock, tmp_path: Path) -> None:
    """Refusals cross process pools whole, and so do shared breakers (others cannot)."""
    from seawall.guard.breaker import CircuitBreaker

    shared = CircuitBreaker("payments", shared=str(tmp_path / "s"))
    assert pickle.loads(pickle.dumps(shared)).name == "payments"
    with pytest.raises(CircuitOpen) as caught:
        opened(clock).enter()
    error = pickle.loads(pickle.dumps(caught.value))
    assert (str(error), error.retry_after, error.policy, error.state) == (
        "circuit breaker payments is open; retry in 2 s",
        2.0,
        "payments",
        "open",
    )


def test_a_window_of_calls_is_not_rescanned_for_ever_nor_grows(clock: ManualClock) -> None:
    """A million calls later the breaker is as large as at first (lists of samples grow)."""
    import sys

    breaker = breaker_at(clock)
    before = sys.getsizeof(breaker)
    for _ in range(10_000):
        breaker.enter().success()
    assert (sys.getsizeof(breaker), breaker.stats().calls) == (before, 100)
