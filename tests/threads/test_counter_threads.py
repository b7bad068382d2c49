"""Counters and gauges under threads and processes, killed ones included."""

import multiprocessing
import os
import signal
import threading

import pytest

from seawall.measure import Counter, Gauge
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")
EACH = 20_000


def run_threads(n, work):
    """Run work() in n threads that start together."""
    start = threading.Barrier(n)

    def body():
        start.wait()
        work()

    threads = [threading.Thread(target=body) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("n", [2, 8])
def test_threads_lose_no_count(n):
    """The total of threads that count at once is exact."""
    counter = Counter()
    run_threads(n, lambda: [counter.inc() for _ in range(EACH)])
    assert counter.value == n * EACH


def test_threads_lose_no_move_of_a_gauge():
    """A gauge that threads move up and down ends where the moves add up to."""
    gauge = Gauge()

    def work():
        for _ in range(EACH):
            gauge.inc(3)
            gauge.dec(2)

    run_threads(4, work)
    assert gauge.value == 4 * EACH


def count_up(path, n):
    """Count n times from a process of its own."""
    counter, gauge = Counter(shared=path), Gauge(shared=path)
    for _ in range(n):
        counter.inc()
        gauge.inc(2)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_on_one_segment_lose_nothing(tmp_path, method):
    """Four processes that count in one slot add up exactly, forked or started afresh."""
    path = str(tmp_path / "s")
    segment = Segment(path, size=64 * 1024)
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=count_up, args=(path, EACH)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert Counter(shared=segment).value == 4 * EACH
    assert Gauge(shared=segment).value == 8 * EACH


def test_a_forked_child_counts_in_what_it_inherited(tmp_path):
    """A counter made before the fork is one counter for parent and child."""
    counter = Counter(shared=Segment(str(tmp_path / "s"), size=64 * 1024))
    counter.inc()
    child = FORK.Process(target=counter.inc, args=(2,))
    child.start()
    child.join()
    counter.inc(4)
    assert counter.value == 7


def count_until_killed(counter, told):
    """Count for ever, reporting each finished count by a byte."""
    while True:
        counter.inc()
        os.write(told, b".")


def test_killed_processes_leave_an_exact_total(tmp_path):
    """Processes killed while they count leave what they reported and at most one count more; others go on counting."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    counter = Counter(shared=segment)
    reading, writing = os.pipe()
    doomed = [FORK.Process(target=count_until_killed, args=(counter, writing)) for _ in range(3)]
    survivors = [FORK.Process(target=count_up, args=(str(tmp_path / "s"), EACH)) for _ in range(4)]
    for process in (*doomed, *survivors):
        process.start()
    os.close(writing)
    reported = sum(len(os.read(reading, 4096)) for _ in range(200))
    for process in doomed:
        os.kill(process.pid, signal.SIGKILL)
    for process in (*doomed, *survivors):
        process.join()
    while rest := os.read(reading, 65536):
        reported += len(rest)
    os.close(reading)
    assert reported >= 200
    assert 4 * EACH + reported <= counter.value <= 4 * EACH + reported + len(doomed)
