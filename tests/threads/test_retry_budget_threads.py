"""Exact counts on one budget, from threads and from processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator

import pytest

import seawall as sw
from seawall.clock import ManualClock

WORKERS, CALLS, RATIO, RESERVE = 4, 500, 0.1, 7


@pytest.fixture
def segment() -> Iterator[str]:
    """A segment of this test's own."""
    name = f"test-budget-threads-{os.getpid()}"
    sw.Segment.remove(name)
    yield name
    sw.Segment.remove(name)


def failing() -> None:
    """A callee worth another attempt, always."""
    raise TimeoutError


def storm(policy: sw.Retry) -> None:
    """Many calls that all fail."""
    for _ in range(CALLS):
        with pytest.raises(TimeoutError):
            policy.call(failing)


def work(policy: sw.Retry, counts: multiprocessing.Queue[tuple[int, int]]) -> None:
    """One worker process."""
    storm(policy)
    counts.put((policy.stats().retries, policy.stats().refused_by_budget))


def test_threads_spend_exactly_what_the_budget_holds() -> None:
    """Whatever the interleaving, retries are ratio x calls + reserve: none is lost, none is granted twice."""
    budget = sw.RetryBudget(RATIO, min_per_second=RESERVE / 10, clock=ManualClock())
    policies = [sw.Retry(5, backoff=0, budget=budget) for _ in range(WORKERS)]
    threads = [threading.Thread(target=storm, args=(policy,)) for policy in policies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = sum(policy.stats().retries for policy in policies)
    left = budget.balance
    assert made + left == WORKERS * CALLS * RATIO + RESERVE
    assert sum(policy.stats().refused_by_budget for policy in policies) == budget.refused


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_never_spend_more_than_one_budget_together(segment: str, method: str) -> None:
    """Workers of one machine share the budget: together they retry ratio x calls + reserve, not each."""
    # A year's window: all of the test is in one, however slow the machine.
    year = 86_400.0 * 365
    budget = sw.RetryBudget(RATIO, min_per_second=0, window=year, shared=segment)
    policy = sw.Retry(5, backoff=0, budget=budget)
    context = multiprocessing.get_context(method)
    counts: multiprocessing.Queue[tuple[int, int]] = context.Queue()  # type: ignore[assignment]
    workers = [context.Process(target=work, args=(policy, counts)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    done = [counts.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    made = sum(retries for retries, _ in done)
    assert made + budget.balance == WORKERS * CALLS * RATIO
    assert made > 0
    assert sum(refused for _, refused in done) == budget.refused
