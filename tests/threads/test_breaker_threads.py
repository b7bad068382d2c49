"""Breakers under racing threads and storms of cancelled tasks: exact counts, exact probes."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen
from seawall.guard.breaker import Calls, CircuitBreaker, Ramp, Seconds, StateChanged

THREADS = 8


def run_threads(work: Callable[[int], Any]) -> None:
    """Run work(number) in eight threads that start together; what one raises is raised."""
    start, errors = threading.Barrier(THREADS), []

    def body(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 -- raised again below
            errors.append(error)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.fixture(autouse=True)
def hurry() -> Any:
    """Threads change after microseconds, not milliseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("window", [Calls(1024), Seconds(60)], ids=["calls", "seconds"])
def test_no_outcome_is_lost(window: Calls | Seconds) -> None:
    """Successes, failures and ignored calls of eight threads add up exactly, in the statistics and in the window."""
    breaker = CircuitBreaker(clock=ManualClock(1.0), window=window, failure_ratio=1.0)
    breaker.enter().success()

    def bad() -> None:
        raise ConnectionError

    good, failing = breaker(lambda: None), breaker(bad)

    def work(number: int) -> None:
        for _ in range(500):
            good()
            breaker.enter().ignore()
            if number % 2:
                with pytest.raises(ConnectionError):
                    failing()

    run_threads(work)
    stats = breaker.stats()
    assert (stats.state, stats.late, stats.refused) == ("closed", 0, 0)
    assert (stats.successes, stats.failures, stats.ignored) == (1 + 500 * THREADS, 250 * THREADS, 500 * THREADS)
    if isinstance(window, Seconds):
        assert (stats.calls, stats.window_failures) == (1 + 750 * THREADS, 250 * THREADS)
    else:
        assert stats.calls == 1024


@pytest.mark.parametrize("probes", [1, 3, 7])
def test_half_open_admits_exactly_its_probes(probes: int) -> None:
    """Whatever threads race for them: as many calls pass as there are places, a hundred openings in a row."""
    clock = ManualClock(1.0)
    breaker = CircuitBreaker(clock=clock, consecutive=1, open_for=2, probes=probes, recovery=None)
    for _ in range(100):
        breaker.enter().failure()
        clock.advance(2.000002)
        admitted: list[Any] = []

        def work(_: int, admitted: list[Any] = admitted) -> None:
            for _ in range(3):
                if permit := breaker.try_enter():
                    admitted.append(permit)

        run_threads(work)
        assert len(admitted) == probes
        assert all(permit.is_probe for permit in admitted)
        for permit in admitted:
            permit.success()
        assert breaker.state == "closed"


def test_racing_failures_open_once_and_are_told_once() -> None:
    """Eight threads that fail together make one opening, one trip and one event."""
    clock, told = ManualClock(1.0), []
    breaker = CircuitBreaker(clock=clock, consecutive=1, open_for=2, probes=64, recovery=None)
    breaker.state_changed.connect(told.append)
    for round_ in range(1, 51):
        permits = [breaker.enter() for _ in range(THREADS)]
        run_threads(lambda number, permits=permits: permits[number].failure())
        assert breaker.state == "open"
        assert breaker.stats().trips == 1
        clock.advance(2.000002)
        assert breaker.enter().is_probe
        breaker.force_close()
        assert len(told) == 3 * round_
    assert set(told) == {
        StateChanged("circuit_breaker", "closed", "open", 1),
        StateChanged("circuit_breaker", "open", "half_open", 1),
        StateChanged("circuit_breaker", "half_open", "closed", 0),
    }


def test_every_call_has_exactly_one_fate() -> None:
    """Threads call, fail and switch by hand at once: each call was refused, counted, or late, and nothing else."""
    clock = ManualClock(1.0)
    breaker = CircuitBreaker(
        clock=clock, consecutive=3, open_for=0.01, probes=2, recovery=Ramp(over=Calls(5), start=0.5), lost_after=86_400
    )
    fates: list[Counter[str]] = []

    def work(number: int) -> None:
        rng, mine = random.Random(number), Counter[str]()
        for _ in range(2000):
            if not (permit := breaker.try_enter()):
                mine["refused"] += 1
                clock.advance(0.005)
                continue
            mine["admitted"] += 1
            rng.choice((permit.success, permit.success, permit.failure, permit.ignore))()
            if rng.random() < 0.01:
                rng.choice((breaker.force_open, breaker.force_close, breaker.metrics_only))()
            if breaker.state == "forced_open":
                breaker.force_close()
        fates.append(mine)

    run_threads(work)
    total, stats = sum(fates, Counter[str]()), breaker.stats()
    assert stats.refused == total["refused"]
    assert stats.successes + stats.failures + stats.ignored + stats.late == total["admitted"]
    assert total["refused"] > 0
    assert stats.transitions > 100


def test_reconfigure_by_many_keeps_every_change() -> None:
    """Threads that change different options at once: none of the changes is lost."""
    breaker = CircuitBreaker(clock=ManualClock(), consecutive=1)
    names = ("probes", "min_calls", "consecutive")

    def work(number: int) -> None:
        for value in range(1, 41):
            if number < len(names):
                breaker.reconfigure(**{names[number]: value})
            else:
                breaker.call(lambda: None)

    run_threads(work)
    options = breaker.options
    assert (options.probes, options.min_calls, options.consecutive) == (40, 40, 40)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm_of_cancellations_changes_no_verdict_and_leaks_no_probe(seed: int) -> None:
    """Ten thousand tasks cancelled at random points: the breaker stays closed; half open, its places stay free."""
    print(f"seed {seed}")
    rng, clock = random.Random(seed), ManualClock(1.0)
    breaker = CircuitBreaker(
        clock=clock, consecutive=1, failure_ratio=0.01, min_calls=1, open_for=2, probes=3, recovery=None
    )

    @breaker
    async def call(steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)

    async def block(steps: int) -> None:
        async with breaker:
            await call.__wrapped__(steps)

    @breaker
    async def items(steps: int) -> Any:
        for _ in range(steps):
            await asyncio.sleep(0)
            yield

    async def stream(steps: int) -> None:
        async for _ in items(steps):
            pass

    async def storm(tasks_left: int) -> Counter[str]:
        ends, tasks = Counter[str](), []
        while tasks_left or tasks:
            for _ in range(min(tasks_left, rng.randrange(1, 200))):
                tasks.append(asyncio.ensure_future(rng.choice((call, block, stream))(1_000_000)))
                tasks_left -= 1
            if rng.random() < 0.7:
                await asyncio.sleep(0)
            rng.shuffle(tasks)
            gone = [tasks.pop() for _ in range(rng.randrange(1, len(tasks) + 1))]
            for task in gone:
                task.cancel()
            ended = await asyncio.gather(*gone, return_exceptions=True)
            ends.update(type(end).__name__ for end in ended)
        return ends

    ends = await storm(5000)
    assert ends == {"CancelledError": 5000}
    stats = breaker.stats()
    assert (stats.state, stats.calls, stats.failures, stats.transitions) == ("closed", 0, 0, 0)
    assert stats.ignored > 500

    breaker.enter().failure()
    clock.advance(2.000002)
    ends = await storm(5000)
    assert set(ends) == {"CancelledError", CircuitOpen.__name__}
    stats = breaker.stats()
    assert (stats.state, stats.lost, stats.failures) == ("half_open", 0, 1)
    places = [breaker.enter() for _ in range(3)]
    assert not breaker.try_enter()
    for place in places:
        place.success()
    assert breaker.state == "closed"
