"""Histograms under threads and processes, killed ones included."""

import multiprocessing
import os
import signal
import threading

import numpy as np

from seawall.measure import Histogram
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")
EACH = 20_000


def test_each_record_is_in_exactly_one_interval():
    """Intervals that are taken while threads record hold every record, the exact sum, and extremes within a bucket."""
    live, total = Histogram(), Histogram()
    values = np.arange(1_000, 1_000 + EACH) / 1e6

    def work():
        for value in values[:: EACH // 5000].tolist():
            live.record(value)
        live.record_many(values)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        total.merge(live.swap())
    total.merge(live.swap())
    expected = Histogram()
    for _ in range(4):
        expected.record_many(values[:: EACH // 5000])
        expected.record_many(values)
    assert total == expected
    assert total.sum == expected.sum
    assert expected.max <= total.max <= expected.max * 1.001
    assert expected.min * 0.999 <= total.min <= expected.min


def test_readers_see_only_what_can_be_while_others_record():
    """Counts read during recording never fall, and percentiles stay between what is recorded."""
    histogram = Histogram()
    done = threading.Event()

    def work():
        for i in range(EACH):
            histogram.record(0.001 + i % 100 * 1e-4)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    before = 0
    while not done.is_set():
        count = histogram.count
        assert before <= count <= EACH
        before = count
        if count:
            assert 0.001 <= histogram.percentile(50) <= 0.0111
    thread.join()
    assert histogram.count == EACH


def record_many_times(path, n):
    """Record n values from a process of its own."""
    histogram = Histogram(shared=path)
    for i in range(n):
        histogram.record(0.001 * (i % 7 + 1))


def record_until_killed(histogram, told):
    """Record for ever, reporting each finished record by a byte."""
    while True:
        histogram.record(5.0)
        os.write(told, b".")


def test_killed_processes_leave_a_sound_histogram(tmp_path):
    """Killed processes leave what they reported and at most one record more; survivors' counts are exact."""
    path = str(tmp_path / "s")
    histogram = Histogram(shared=Segment(path, size=1 << 20))
    reading, writing = os.pipe()
    doomed = [FORK.Process(target=record_until_killed, args=(histogram, writing)) for _ in range(3)]
    survivors = [FORK.Process(target=record_many_times, args=(path, EACH)) for _ in range(4)]
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
    taken = histogram.swap()
    killed = int(taken.counts()[taken.edges()[1:] > 4.9].sum())
    assert taken.count - killed == 4 * EACH
    assert reported <= killed <= reported + len(doomed)
    assert (taken.min, taken.max, taken.clipped) == (0.001, 5.0, 0)
    assert histogram.count == 0


def swap_until_killed(histogram, told):
    """Swap for ever, reporting each finished swap by a byte."""
    while True:
        histogram.swap()
        os.write(told, b".")


def test_a_process_killed_in_a_swap_leaves_a_histogram_that_works(tmp_path):
    """After a swapping process is killed, others record, read and swap as before."""
    histogram = Histogram(shared=Segment(str(tmp_path / "s"), size=1 << 20))
    reading, writing = os.pipe()
    child = FORK.Process(target=swap_until_killed, args=(histogram, writing))
    child.start()
    os.close(writing)
    while len(os.read(reading, 1)) and histogram.count < 100:
        histogram.record_many(np.linspace(0.001, 1.0, 1000))
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    os.close(reading)
    histogram.swap()
    histogram.record_many([0.1, 0.2])
    assert (histogram.count, histogram.min, histogram.max, histogram.sum) == (2, 0.1, 0.2, 0.3)
