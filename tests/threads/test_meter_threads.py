"""Analyzer and meter under threads that record at once."""

import threading

import pytest

from seawall.clock import ManualClock
from seawall.measure import LatencyAnalyzer, ThroughputMeter

EACH = 5_000
THREADS = 4


def run_threads(work, meanwhile):
    """Run work() in threads that start together, and meanwhile() over and over until they are done."""
    start = threading.Barrier(THREADS)

    def body():
        start.wait()
        work()

    threads = [threading.Thread(target=body) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("window", [None, 3])
def test_every_latency_is_in_the_total_and_in_one_window(window):
    """While windows are handed over no record is lost or counted twice, and errors are exact."""
    analyzer = LatencyAnalyzer(window=window)
    windows = []

    def work():
        for i in range(EACH):
            analyzer.record(0.001 * (i + 1))
            analyzer.record_error()

    run_threads(work, lambda: windows.append(analyzer.window().count))
    windows.append(analyzer.window().count)
    assert (analyzer.count, analyzer.errors, sum(windows)) == (THREADS * EACH,) * 3
    assert analyzer.snapshot().sum == pytest.approx(THREADS * sum(0.001 * (i + 1) for i in range(EACH)))


def test_every_request_is_in_the_totals_and_in_one_window():
    """Totals, windows and checkpoints of a meter are exact while time goes on and others read."""
    clock = ManualClock()
    meter = ThroughputMeter(window=1, keep=50, clock=clock)

    def work():
        for i in range(EACH):
            meter.record(2, bytes=3)
            if i % 1000 == 999:
                clock.advance(1)

    run_threads(work, lambda: (meter.rate(), meter.series()))
    clock.advance(1)
    series = meter.series()
    assert (meter.requests, meter.bytes) == (2 * THREADS * EACH, 3 * THREADS * EACH)
    assert (sum(w.requests for w in series), sum(w.bytes for w in series)) == (meter.requests, meter.bytes)
    assert meter.checkpoint("end").requests == meter.requests
