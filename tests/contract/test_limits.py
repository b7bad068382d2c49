"""Limits across machines on every engine, on both faces."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.faces import Faced

from seawall.distributed import limits
from seawall.engines import open_engine

FORK = multiprocessing.get_context("fork")
LONG = 1_000_000.0


@pytest.fixture
def make(backend, engine, namespace, runner):
    """Makes a limit of a kind with the face under test."""
    if "meter" not in backend.ports:
        pytest.skip(f"{backend.name} has no meter")

    def made(kind: str, *args: Any, **options: Any) -> Faced:
        return Faced(getattr(limits, kind)(*args, engine=engine, namespace=namespace, within=5, **options), runner)

    return made


@pytest.mark.parametrize("kind", ["TokenBucket", "FixedWindow", "SlidingWindow", "SlidingLog"])
def test_exactly_the_limit_is_admitted_by_two_objects(make, kind):
    """With the state in the engine, it does not matter who asks."""
    options = {"per": LONG} if kind == "TokenBucket" else {"window": LONG}
    pair = [make(kind, 5, name="api", **options) for _ in range(2)]
    assert [one.check().remaining for one in pair * 2] == [4, 3, 2, 1]
    assert [one.try_acquire() for one in pair * 2] == [True, False, False, False]


def test_a_waiter_gets_its_place_after_those_before_it(make, backend):
    """A bucket gives places ahead: later calls are refused meanwhile."""
    limit = make("TokenBucket", 1, per=backend.short, burst=1, name="api")
    for _ in range(3):
        limit.acquire()
    assert limit.stats().admitted == 3


def use_up(url: str, namespace: str, barrier: Any, answers: Any) -> None:
    """Ask 50 times."""
    with open_engine(url) as engine:
        limit = limits.TokenBucket(60, per=LONG, engine=engine, name="api", namespace=namespace, within=20)
        keyed = limit.keyed()
        barrier.wait()
        answers.put((sum(limit.try_acquire() for _ in range(50)), sum(keyed.try_acquire("k", 2) for _ in range(50))))


def test_four_processes_get_the_limit_and_no_more(backend, namespace, tmp_path: Path):
    """Together, and for a key."""
    if not backend.lasting or "meter" not in backend.ports:
        pytest.skip(f"{backend.name} is of one process, or has no meter")
    url, barrier, answers = backend.url_for_processes(tmp_path), FORK.Barrier(4), FORK.SimpleQueue()
    workers = [FORK.Process(target=use_up, args=(url, namespace, barrier, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    counts = [answers.get() for _ in workers]
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert tuple(map(sum, zip(*counts, strict=True))) == (60, 30)


def use_up_leased(url: str, namespace: str, barrier: Any, answers: Any) -> None:
    """Ask until nothing comes any more, and give back what is left."""
    with open_engine(url) as engine:
        limit = limits.SlidingLog(200, window=LONG, engine=engine, name="api", namespace=namespace, within=20)
        leased = limit.leased(fraction=0.1, ttl=60)
        barrier.wait()
        admitted = sum(leased.try_acquire() for _ in range(45))
        barrier.wait()
        leased.give_back()
        barrier.wait()
        answers.put((admitted, sum(leased.try_acquire() for _ in range(45))))


def test_four_processes_lease_the_limit_and_no_more(backend, namespace, tmp_path: Path):
    """All of what one gives back is there for the others."""
    if not backend.lasting or "meter" not in backend.ports:
        pytest.skip(f"{backend.name} is of one process, or has no meter")
    url, barrier, answers = backend.url_for_processes(tmp_path), FORK.Barrier(4), FORK.SimpleQueue()
    workers = [FORK.Process(target=use_up_leased, args=(url, namespace, barrier, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    first, second = zip(*(answers.get() for _ in workers), strict=True)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert first == (45, 45, 45, 45)
    # What one holds when the others find nothing stays unused: at most a batch of twenty each.
    assert 20 - 3 * 20 < sum(second) <= 20
