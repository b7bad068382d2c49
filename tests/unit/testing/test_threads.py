"""Threads whose time is a ManualClock's."""

from __future__ import annotations

import threading

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.testing import run_threads


def test_threads_wake_in_the_order_of_their_times() -> None:
    """The clock moves only when all sleep, and then to the first who wants to wake."""
    clock, order, lock = ManualClock(), [], threading.Lock()

    def sleeper(step: float, times: int) -> None:
        for _ in range(times):
            clock.sleep(step)
            with lock:
                order.append(clock.time())

    run_threads(clock, lambda: sleeper(1.0, 5), lambda: sleeper(1.5, 3), lambda: sleeper(0.4, 2))
    assert order == sorted(order)
    assert sorted(order) == [0.4, 0.8, 1, 1.5, 2, 3, 3, 4, 4.5, 5]


def test_a_limit_paces_threads_to_the_instant() -> None:
    """Four threads behind one limit are admitted one a second, whatever the machine does."""
    clock, admitted = ManualClock(), []
    limit = sw.LeakyBucket(1, per=1.0, capacity=10, clock=clock)

    def caller() -> None:
        limit.acquire()
        admitted.append(clock.time())

    run_threads(clock, *[caller] * 4)
    assert sorted(admitted) == [0, 1, 2, 3]


def test_results_come_in_order_and_errors_are_raised() -> None:
    """One error is raised as it is, several as a group."""
    clock = ManualClock()

    def failing() -> None:
        raise KeyError("k")

    assert run_threads(clock, lambda: 1, lambda: 2) == [1, 2]
    with pytest.raises(KeyError):
        run_threads(clock, lambda: 1, failing)
    with pytest.raises(ExceptionGroup) as caught:
        run_threads(clock, failing, failing)
    assert len(caught.value.exceptions) == 2


def test_threads_that_wait_for_each_other_are_an_error() -> None:
    """A deadlock is told after some patience."""
    gate = threading.Event()
    with pytest.raises(RuntimeError) as caught:
        run_threads(ManualClock(), lambda: gate.wait(10), lambda: None, patience=0.05)
    gate.set()
    assert str(caught.value) == (
        "1 of 2 threads neither ended nor slept on the clock for 0.05 s of real time; do they wait for each other?"
    )
