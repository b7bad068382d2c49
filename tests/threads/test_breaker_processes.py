"""One breaker for several processes, some of which are killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from seawall.clock import ManualClock, SystemClock
from seawall.guard.breaker import Calls, CircuitBreaker, Permit, Ramp
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")
WORKERS = 4
OPTIONS: dict[str, Any] = {"consecutive": 4, "failure_ratio": None, "open_for": 2, "probes": 4, "recovery": None}


class Worker:
    """A process with the shared breaker and a clock of its own, that does what it is told."""

    def __init__(self, path: str) -> None:
        self._here, there = FORK.Pipe()
        self.process = FORK.Process(target=self._serve, args=(there, path))
        self.process.start()
        there.close()

    def _serve(self, orders: Connection, path: str) -> None:
        clock = ManualClock()
        breaker = CircuitBreaker("p", clock=clock, shared=path, **OPTIONS)
        held: list[Permit] = []
        while True:
            order = orders.recv()
            if order == "stop":
                return
            if order == "enter":
                answer = breaker.try_enter()
                held += [answer] if answer else []
                orders.send(bool(answer))
            elif order == "state":
                orders.send(breaker.state)
            elif isinstance(order, float):
                clock.advance(order)
                orders.send(clock.time())
            else:
                getattr(held.pop(), order)()
                orders.send(breaker.state)

    def __call__(self, order: Any) -> Any:
        """Give an order and wait for what came of it."""
        self._here.send(order)
        return self._here.recv()

    def kill(self) -> None:
        """As the out-of-memory killer does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def stop(self) -> None:
        """Let it go home."""
        self._here.send("stop")
        self.process.join()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A segment of this test's own."""
    Segment(str(tmp_path / "s"), size=64 * 1024)
    return str(tmp_path / "s")


@pytest.fixture
def workers(path: str) -> Iterator[list[Worker]]:
    """Four of them."""
    team = [Worker(path) for _ in range(WORKERS)]
    yield team
    for worker in team:
        if worker.process.is_alive():
            worker.stop()


def test_all_workers_see_it_open_and_close_together(workers: list[Worker]) -> None:
    """One failure in each opens it for all; one success in each closes it for all; a round later again."""
    for _ in range(5):
        assert [worker("enter") for worker in workers] == [True] * WORKERS
        assert [worker("failure") for worker in workers] == ["closed"] * (WORKERS - 1) + ["open"]
        assert [worker("state") for worker in workers] == ["open"] * WORKERS
        assert [worker("enter") for worker in workers] == [False] * WORKERS
        for worker in workers:
            worker(2.0)
        assert [worker("enter") for worker in workers] == [True] * WORKERS
        assert [worker("enter") for worker in workers] == [False] * WORKERS
        assert [worker("success") for worker in workers] == ["half_open"] * (WORKERS - 1) + ["closed"]
        assert [worker("state") for worker in workers] == ["closed"] * WORKERS


def test_places_of_killed_workers_are_reclaimed(workers: list[Worker], path: str) -> None:
    """Each worker dies holding a probe; when the leases have ended one survivor takes all places and closes it."""
    for worker in workers:
        worker("enter")
        worker("failure")
    for worker in workers:
        worker(2.0)
    assert [worker("enter") for worker in workers] == [True] * WORKERS
    survivor, *doomed = workers
    survivor("success")
    for worker in doomed:
        worker.kill()
    assert not survivor("enter")
    assert survivor(59.0) == 61.0
    assert not survivor("enter")
    survivor(1.0)
    assert [survivor("enter") for _ in range(WORKERS)] == [True] * (WORKERS - 1) + [False]
    assert [survivor("success") for _ in doomed] == ["half_open"] * 2 + ["closed"]
    stats = CircuitBreaker("p", shared=path, on_conflict="adopt").stats()
    assert (stats.state, stats.lost, stats.successes, stats.failures) == ("closed", WORKERS - 1, WORKERS, WORKERS)


STORM: dict[str, Any] = {
    "consecutive": 3,
    "open_for": 0.001,
    "probes": 2,
    "lost_after": 0.001,
    "recovery": Ramp(over=Calls(3), start=0.5),
}


def churn(path: str, seed: int, told: int, successes: int) -> None:
    """Call, fail and forget at random; a byte for every success; home after so many of them."""
    breaker, rng = CircuitBreaker("storm", shared=path, **STORM), random.Random(seed)
    held: list[Permit] = []
    while successes:
        if not (permit := breaker.try_enter()):
            continue
        chance = rng.random()
        if chance < 0.05:
            held.append(permit)  # for long: its place is lost to others
        elif chance < 0.4:
            permit.failure()
        else:
            permit.success()
            successes -= 1
            os.write(told, b".")
        if len(held) > 5:
            held.pop(rng.randrange(len(held))).success()
    os._exit(0)


def test_killing_workers_in_a_loop_wedges_nothing(path: str) -> None:
    """Thirty workers are killed at any instruction; survivors get through, and it still opens and closes."""
    reading, writing = os.pipe()
    rng, seeds = random.Random(7), iter(range(1000))
    survivors = [FORK.Process(target=churn, args=(path, next(seeds), writing, 3000)) for _ in range(2)]
    doomed = [FORK.Process(target=churn, args=(path, next(seeds), writing, 1 << 60)) for _ in range(2)]
    for process in (*survivors, *doomed):
        process.start()
    for _ in range(30):
        for _ in range(20):
            assert os.read(reading, 10)  # somebody gets on
        victim = doomed.pop(rng.randrange(len(doomed)))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        doomed.append(FORK.Process(target=churn, args=(path, next(seeds), writing, 1 << 60)))
        doomed[-1].start()
    drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reading, 65536), b"")])
    drain.start()
    for process in survivors:
        process.join(60)
    for process in doomed:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    os.close(writing)
    drain.join()
    os.close(reading)
    assert [process.exitcode for process in survivors] == [0, 0]

    breaker, clock = CircuitBreaker("storm", shared=path, **STORM), SystemClock()
    give_up = clock.now_ns() + 60_000_000_000
    for state, answer in (("closed", "success"), ("open", "failure"), ("closed", "success")):
        while breaker.state != state and clock.now_ns() < give_up:
            if permit := breaker.try_enter():
                getattr(permit, answer)()
        assert breaker.state == state
    stats = breaker.stats()
    assert stats.lost > 0
    assert stats.transitions > 100
    assert stats.successes >= 6000


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_use_goes_on_in_both(path: str) -> None:
    """Threads are calling when the process forks: the child has the shared breaker, and a private one of its own."""
    clock = ManualClock()
    shared = CircuitBreaker("p", clock=clock, shared=path, **OPTIONS)
    private = CircuitBreaker("p", clock=clock, **OPTIONS)
    stop, started = threading.Event(), threading.Barrier(5)

    def busy() -> None:
        started.wait()
        while not stop.is_set():
            shared.call(lambda: None)
            private.call(lambda: None)

    def child() -> None:
        assert shared.call(lambda: 1) == private.call(lambda: 1) == 1
        for _ in range(4):
            private.enter().failure()
        assert (private.state, shared.state) == ("open", "closed")
        shared.metrics_only()  # seen there, too, and refuses nobody
        os._exit(11)

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    forked = FORK.Process(target=child)
    forked.start()
    try:
        forked.join(60)
        assert shared.state == "metrics_only"
    finally:
        stop.set()
        shared.force_close()
        for thread in threads:
            thread.join()
    assert forked.exitcode == 11
    assert private.state == "closed"
    assert shared.stats().transitions == 2
    assert shared.call(lambda: 1) == 1
