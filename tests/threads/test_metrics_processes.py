"""Metrics of many processes in one segment: written, scraped, killed and forked at once."""

import multiprocessing
import os
import signal
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from seawall.memory import Segment
from seawall.observe.metrics import Metrics

# On 3.12 and later, forking beside threads warns: it is what is tested.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

FORK = multiprocessing.get_context("fork")
SPAWN = multiprocessing.get_context("spawn")
WORKERS = 8
VALUE = 0.25


def segment_at(tmp_path, size=4 << 20):
    """A segment of its own for a test."""
    return Segment(str(tmp_path / "metrics"), size=size)


def write_for_ever(path, told, number):
    """Count in all ways, and tell through a pipe after each round what is done."""
    metrics = Metrics(Segment.attach(path))
    served = metrics.counter("served")
    by_worker = metrics.counter("by_worker", "", ("worker", "odd"))
    latency = metrics.histogram("latency_seconds", "", ("worker",))
    level, lowest = metrics.gauge("level"), metrics.gauge("lowest", across="min")
    done = 0
    while True:
        served.inc()
        by_worker.labels(number, done % 2).inc(2, {"trace_id": f"{number}-{done}"})
        latency.labels(number).observe(VALUE)
        level.set(1.0)
        lowest.set(float(number))
        done += 1
        os.write(told, b".")


def scrape(metrics):
    """(served, {worker: twice its rounds}, {worker: its observations}) as a parser reads the text."""
    served, by_worker, observed = 0.0, {}, {}
    for family in text_string_to_metric_families(metrics.to_prometheus().decode()):
        for name, labels, value, *_ in family.samples:
            if name == "served_total":
                served = value
            elif name == "by_worker_total" and labels["worker"] != "overflow":
                by_worker[labels["worker"]] = by_worker.get(labels["worker"], 0) + value
            elif name == "latency_seconds_count" and labels["worker"] != "overflow":
                observed[labels["worker"]] = value
    return served, by_worker, observed


def start_worker(segment, number, target=write_for_ever):
    """A process, and the end of the pipe through which it tells."""
    hear, told = os.pipe()
    worker = FORK.Process(target=target, args=(segment.path, told, number))
    worker.start()
    os.close(told)
    return worker, hear


def hear_all(hear):
    """How many rounds a worker that has ended told of."""
    total = 0
    while heard := os.read(hear, 1 << 16):
        total += len(heard)
    os.close(hear)
    return total


@pytest.mark.proof
def test_totals_of_killed_workers_are_what_they_told_and_at_most_one_more(tmp_path):
    """Eight write, one scrapes, all are killed: totals only rise, and each worker's is its rounds, or one in flight."""
    segment = segment_at(tmp_path)
    metrics = Metrics(segment)
    workers = [start_worker(segment, number) for number in range(WORKERS)]
    rounds = [0] * WORKERS
    before = (0.0, {}, {})
    for number, (worker, hear) in enumerate(workers):
        for _ in range(3):
            rounds[number] += len(os.read(hear, 1 << 16))  # it has written meanwhile, and so have the others
            now = scrape(metrics)
            assert now[0] >= before[0]
            for seen, last in zip(now[1:], before[1:], strict=True):
                assert all(seen[worker] >= count for worker, count in last.items())
            before = now
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    rounds = [rounds[number] + hear_all(hear) for number, (_, hear) in enumerate(workers)]
    served, by_worker, observed = scrape(metrics)
    assert sum(rounds) <= served <= sum(rounds) + WORKERS
    for number, told in enumerate(rounds):
        assert told <= observed[str(number)] <= told + 1
        assert 2 * told <= by_worker[str(number)] <= 2 * told + 2
    for sample in metrics.snapshot().family("latency_seconds").samples:
        assert sample.value.sum == pytest.approx(VALUE * sample.value.count, abs=VALUE)
    assert metrics.describe()["living"] <= 1
    assert metrics.snapshot().family("level").samples == metrics.snapshot().family("lowest").samples == ()


def register_for_ever(path, told, number):
    """Make new families and series until killed, or until there are many."""
    metrics = Metrics(Segment.attach(path), max_series=1_000_000)
    for done in range(300):
        metrics.counter(f"made_{number}_{done}", "", ("x",)).labels(done).inc()
        os.write(told, b".")
    signal.pause()


@pytest.mark.proof
def test_workers_killed_while_they_register_leave_a_table_for_others(tmp_path):
    """Whatever instruction of a registration they are killed at, others register, and no told series is lost."""
    segment = segment_at(tmp_path, 32 << 20)
    total = 0
    for number in range(30):
        worker, hear = start_worker(segment, number, register_for_ever)
        total += len(os.read(hear, 1 + number % 3))
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        total += hear_all(hear)
    metrics = Metrics(segment)
    assert metrics.counter("after", "", ("x",)).labels("1").value == 0
    made = [f for f in metrics.snapshot().families if f.name.startswith("made_")]
    counted = sum(sample.value for family in made for sample in family.samples)
    assert len({family.name for family in made}) == len(made)
    assert total <= counted <= total + 30


def test_a_forked_child_is_a_worker_of_its_own(tmp_path):
    """Parent and child set the same gauge; both count until the child is gone, and counters stay."""
    metrics = Metrics(segment_at(tmp_path))
    gauge, most = metrics.gauge("level"), metrics.gauge("most", across="max")
    counter = metrics.counter("served")
    gauge.set(1)
    most.set(1)
    hear, told = os.pipe()
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        gauge.inc(10)
        most.set(10)
        counter.inc(5)
        os.write(told, b".")
        os.read(wait, 1)
        os._exit(0)
    os.read(hear, 1)
    alive = {name: metrics.snapshot().family(name).samples[0].value for name in ("level", "most", "served")}
    os.write(go, b".")
    os.waitpid(child, 0)
    after = {name: metrics.snapshot().family(name).samples[0].value for name in ("level", "most", "served")}
    assert alive == {"level": 11.0, "most": 10.0, "served": 5.0}
    assert after == {"level": 1.0, "most": 1.0, "served": 5.0}


def work_spawned(path, number):
    """Count from a process that inherited nothing."""
    metrics = Metrics(Segment.attach(path))
    metrics.counter("served", "", ("worker",)).labels(number).inc(number)
    metrics.gauge("last", across="last").set(number)


def test_processes_that_share_nothing_but_the_name_count_together(tmp_path):
    """Spawned processes find the families that the first of them made."""
    segment = segment_at(tmp_path)
    for number in (1, 2):
        worker = SPAWN.Process(target=work_spawned, args=(segment.path, number))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
    served = Metrics(segment).snapshot().family("served")
    assert {sample.labels[0][1]: sample.value for sample in served.samples} == {"1": 1.0, "2": 2.0}


def test_places_of_the_dead_are_taken_by_the_living_and_begin_at_nothing(tmp_path):
    """Far more processes than places, one after the other: each finds one, cleared of what its owner had set."""
    metrics = Metrics(segment_at(tmp_path), workers=2)
    gauge = metrics.gauge("level")
    for _ in range(6):
        child = os.fork()
        if child == 0:
            gauge.inc(1)
            right = metrics.snapshot().family("level").samples[0].value == 1.0
            os._exit(0 if right else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert metrics.snapshot().family("seawall_metrics_dropped") is None


def test_workers_without_a_place_share_one_and_are_counted(tmp_path):
    """A third process where two have places: its gauge counts, and the metrics say that there was no room."""
    metrics = Metrics(segment_at(tmp_path), workers=1)
    gauge = metrics.gauge("level")
    gauge.set(1)
    child = os.fork()
    if child == 0:
        gauge.set(2)
        os._exit(0)
    os.waitpid(child, 0)
    snapshot = metrics.snapshot()
    assert snapshot.family("level").samples[0].value == 3.0
    assert snapshot.family("seawall_metrics_dropped").samples[0].value == 1.0


def test_threads_that_meet_at_a_new_series_count_in_one(tmp_path):
    """Eight threads ask for the same hundred new series at once."""
    counter = Metrics(segment_at(tmp_path)).counter("served", "", ("x",))
    start = threading.Barrier(8)

    def work():
        start.wait()
        for number in range(100):
            counter.labels(number).inc()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [counter.labels(number).value for number in range(100)] == [8] * 100
