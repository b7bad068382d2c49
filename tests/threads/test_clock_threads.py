"""Logical clocks under threads, processes on one segment, and kill -9."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

import pytest

from seawall.clock import ManualClock
from seawall.distributed.clocks import HybridClock, LamportClock
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")
EACH = 5_000


def rising(values):
    """Whether each value is greater than the one before."""
    return all(a < b for a, b in pairwise(values))


@pytest.mark.parametrize("make", ["lamport", "hybrid", "stored"])
def test_eight_threads_get_stamps_of_their_own(tmp_path, make):
    """No stamp is given twice, and each thread sees its own rise."""
    clock = LamportClock("a") if make == "lamport" else None
    if make == "hybrid":
        clock = HybridClock()
    if make == "stored":
        clock = HybridClock(store=tmp_path / "store", store_ahead=0.001)
    give = clock.tick if make == "lamport" else clock.now
    start, given = threading.Barrier(8), [[] for _ in range(8)]

    def work(mine):
        start.wait()
        for i in range(EACH):
            mine.append(clock.receive(mine[-1]) if i % 3 == 2 else give())

    threads = [threading.Thread(target=work, args=(mine,)) for mine in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(rising(mine) for mine in given)
    assert len(set().union(*given)) == 8 * EACH


def begin(barrier):
    """Keep what the workers of a pool wait at."""
    collect.start = barrier


def collect(kind, path, store):
    """Stamps of one shared clock, from a process of its own."""
    collect.start.wait(60)
    if kind == "lamport":
        give = LamportClock("a", shared=path).tick
    else:
        give = HybridClock(shared=path, store=store, store_ahead=None if store is None else 0.001).now
    return [give() for _ in range(EACH)]


@pytest.mark.parametrize(
    ("kind", "method"), [("lamport", "fork"), ("hybrid", "fork"), ("stored", "fork"), ("hybrid", "spawn")]
)
def test_four_processes_on_one_segment_get_stamps_of_their_own(tmp_path, kind, method):
    """No stamp is given twice by processes that share a clock, with and without a store."""
    path = str(tmp_path / "s")
    segment = Segment(path, size=64 * 1024)
    store = str(tmp_path / "store") if kind == "stored" else None
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(4, context, begin, (context.Barrier(4),)) as pool:
        given = [one.result(120) for one in [pool.submit(collect, kind, path, store) for _ in range(4)]]
    assert all(rising(mine) for mine in given)
    assert len(set().union(*given)) == 4 * EACH
    last = (
        LamportClock("a", shared=segment).value if kind == "lamport" else HybridClock(shared=segment, store=store).last
    )
    assert last == max(max(mine) for mine in given)


def stamp_until_killed(store, shared, start, told):
    """Give stamps for ever by a wall clock that goes on fast, so that the store is written all the time."""
    wall = ManualClock(start)
    clock = HybridClock(clock=wall, store=store, store_ahead=0.001, shared=shared)
    while True:
        os.write(told, clock.now().to_bytes(8, "big"))
        wall.advance(0.0004)


@pytest.mark.parametrize("shares", [False, True])
def test_a_stored_clock_killed_again_and_again_never_goes_back(tmp_path, shares):
    """After each kill -9 all stamps are above all before, though each restart finds its wall clock set back."""
    highest = 0
    for i in range(12):
        shared = str(tmp_path / f"segment-{i}") if shares else None  # a fresh segment each time, as after a reboot
        if shares:
            Segment(shared, size=64 * 1024)
        reading, writing = os.pipe()
        workers = [
            FORK.Process(target=stamp_until_killed, args=(tmp_path / "store", shared, 1000.0 - i, writing))
            for _ in range(2 if shares else 1)
        ]
        for worker in workers:
            worker.start()
        os.close(writing)
        told = os.read(reading, 8 * (20 + 13 * i))
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
        while rest := os.read(reading, 65_536):
            told += rest
        for worker in workers:
            worker.join()
        os.close(reading)
        stamps = [int.from_bytes(told[at : at + 8], "big") for at in range(0, len(told), 8)]
        assert min(stamps) > highest
        assert len(set(stamps)) == len(stamps)
        assert shares or rising(stamps)
        highest = max(stamps)


def test_two_clocks_on_one_store_both_rise(tmp_path):
    """A store used by two clocks at once holds what both have given, so that neither goes back when it restarts."""
    wall = ManualClock(50.0)
    one, two = (HybridClock(clock=wall, store=tmp_path / "store") for _ in range(2))
    last = 0
    for _ in range(20):
        wall.advance(0.2)
        last = max(one.now(), two.now())
    wall.step_back(10.0)
    assert HybridClock(clock=wall, store=tmp_path / "store").now() > last


def test_a_forked_child_goes_on_with_a_shared_clock(tmp_path):
    """A shared clock made before the fork is one clock for parent and child."""
    clock = HybridClock(shared=Segment(str(tmp_path / "s"), size=64 * 1024), store=tmp_path / "store")
    before = clock.now()
    answers = FORK.SimpleQueue()
    child = FORK.Process(target=lambda: answers.put(clock.now()))
    child.start()
    given = answers.get()
    child.join()
    assert before < given < clock.now()
