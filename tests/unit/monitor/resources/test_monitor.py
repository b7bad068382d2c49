"""Readings, once and again and again."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.monitor.resources.test_cgroups import lay

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.resources import (
    Container,
    GcUse,
    LoopUse,
    MachineUse,
    ProcessUse,
    ResourceMonitor,
    Resources,
)
from seawall.monitor.resources._judge import usable_cpus, usable_memory, with_ratios

GIB = 1 << 30


def reading(**changes: Any) -> Resources:
    """A reading with little in it."""
    plain = Resources(1.0, 0, ProcessUse(0.0, 0.0, GIB, GIB, 1), MachineUse(4), Container(), GcUse((0,), 0, 0))
    return replace(plain, **changes)


def test_this_process_is_read() -> None:
    """Threads, files, memory and time are those it has."""
    resources = ResourceMonitor().read()
    assert resources.process.threads >= threading.active_count()
    assert resources.process.rss > 1_000_000
    assert resources.process.fds is None or resources.process.fds >= 3
    assert resources.machine.disks[0].path == "/"
    assert 0 < resources.cpus <= (os.cpu_count() or 1)
    assert resources.cpu_ratio is None
    with open(os.devnull) as file, open(file.name):
        more = ResourceMonitor().read()
    assert resources.process.fds is None or more.process.fds == resources.process.fds + 2


def test_a_disk_that_is_not_there_is_left_out() -> None:
    """A reading never fails for what it cannot find."""
    assert ResourceMonitor(disks=["/nowhere"]).read().machine.disks == ()


def test_limits_and_pressure_are_read_below_the_root_that_is_given(tmp_path: Path) -> None:
    """An agent has the host's mounted elsewhere."""
    lay("v2-kubernetes", tmp_path)
    (tmp_path / "proc" / "pressure").mkdir()
    (tmp_path / "proc" / "pressure" / "io").write_text("some avg10=50.00 avg60=0.00 avg300=0.00 total=1000000\n")
    resources = ResourceMonitor(root=tmp_path).read()
    assert (resources.cpus, resources.memory_limit) == (0.5, 256 << 20)
    assert resources.memory_ratio == (201326592 - 33554432) / (256 << 20)
    assert resources.pressure["io"].some.avg10 == 0.5


@pytest.mark.parametrize(
    ("limit", "cpuset", "affinity", "machine", "usable"),
    [
        (None, None, None, 4, 4.0),
        (0.5, 2, 8, 8, 0.5),
        (6.0, 2, 8, 8, 2.0),
        (None, None, 1, 8, 1.0),
        (0.001, None, None, 4, 0.01),
        (64.0, 64, 64, 8, 8.0),
    ],
)
def test_usable_processors_are_the_least_of_all(
    limit: float | None, cpuset: int | None, affinity: int | None, machine: int, usable: float
) -> None:
    """A quota may be a fraction."""
    assert usable_cpus(Container(cpu_limit=limit, cpuset=cpuset), affinity, machine) == usable


def test_a_memory_limit_above_the_machine_is_none() -> None:
    """And where nothing is told there is none."""
    assert usable_memory(Container(memory_limit=64 * GIB), 16 * GIB) == 16 * GIB
    assert usable_memory(Container(memory_limit=GIB), 16 * GIB) == GIB
    assert usable_memory(Container(), None) is None


def test_processor_use_is_of_what_could_be_used() -> None:
    """Half a processor of a quota of half is all."""
    before = reading(cpus=0.5)
    now = reading(cpus=0.5, at_ns=10_000_000_000, process=ProcessUse(4.0, 1.0, GIB, GIB, 1))
    assert with_ratios(now, before).cpu_ratio == 1.0
    assert with_ratios(now, None).cpu_ratio is None
    assert with_ratios(before, before).cpu_ratio is None


def test_memory_is_compared_with_what_limits_it() -> None:
    """The container's use with its limit, the machine's with its memory; without either the process's."""
    held = Container(memory_limit=4 * GIB, memory_used=3 * GIB)
    machine = MachineUse(4, memory=16 * GIB, memory_available=12 * GIB)
    assert with_ratios(reading(container=held, machine=machine, memory_limit=4 * GIB), None).memory_ratio == 0.75
    assert with_ratios(reading(machine=machine, memory_limit=16 * GIB), None).memory_ratio == 0.25
    loose = Container(memory_limit=64 * GIB, memory_used=3 * GIB)
    assert with_ratios(reading(container=loose, machine=machine, memory_limit=16 * GIB), None).memory_ratio == 0.25
    assert with_ratios(reading(memory_limit=4 * GIB), None).memory_ratio == 0.25
    assert with_ratios(reading(), None).memory_ratio is None


@pytest.mark.parametrize(
    ("before", "now", "ratio"),
    [
        ((100, 10), (200, 60), 0.5),
        ((100, 10), (100, 10), None),
        ((100, 10), (5, 1), None),
        ((None, None), (9, 1), None),
    ],
)
def test_throttling_is_of_the_periods_between(before: Any, now: Any, ratio: float | None) -> None:
    """A process that was moved to another group counts anew there."""
    first, second = (reading(container=Container(periods=a, throttled_periods=b)) for a, b in (before, now))
    assert with_ratios(second, first).throttled_ratio == ratio


def test_files_are_of_those_that_may_be_open() -> None:
    """Without a limit there is no ratio."""
    with_limit = reading(process=ProcessUse(0, 0, 1, 1, 1, fds=10, fds_limit=40))
    without = reading(process=ProcessUse(0, 0, 1, 1, 1, fds=10))
    assert [with_ratios(each, None).fds_ratio for each in (with_limit, without)] == [0.25, None]


def test_nothing_runs_before_start_and_nothing_after_stop() -> None:
    """Neither a thread nor a callback."""
    callbacks, threads = list(gc.callbacks), threading.active_count()
    monitor = ResourceMonitor(clock=ManualClock())
    assert (monitor.running, threading.active_count(), gc.callbacks) == (False, threads, callbacks)
    with monitor:
        assert monitor.running
        assert monitor.start() is monitor
        assert threading.active_count() == threads + 1
    assert (monitor.running, threading.active_count(), gc.callbacks) == (False, threads, callbacks)


def test_it_reads_at_once_and_after_each_interval() -> None:
    """Whoever listens gets each reading."""
    clock, heard = ManualClock(), threading.Semaphore(0)
    monitor = ResourceMonitor(interval=10, clock=clock)
    monitor.sampled.connect(lambda _: heard.release())
    with monitor:
        assert heard.acquire(timeout=30)
        for _ in range(3):
            clock.advance(9)
            assert not heard.acquire(blocking=False)
            clock.advance(1)
            assert heard.acquire(timeout=30)
    assert monitor.latest is not None
    assert monitor.latest.at_ns == 30_000_000_000


def test_it_can_be_started_again() -> None:
    """A stopped monitor is as new."""
    heard = threading.Semaphore(0)
    monitor = ResourceMonitor(clock=ManualClock())
    monitor.sampled.connect(lambda _: heard.release())
    for _ in range(2):
        monitor.start()
        assert heard.acquire(timeout=30)
        monitor.stop()


def test_collections_are_counted_and_their_pauses_measured() -> None:
    """Each while the monitor runs, by its clock."""
    clock, heard = ManualClock(), threading.Semaphore(0)
    monitor = ResourceMonitor(interval=3600, clock=clock)
    monitor.sampled.connect(lambda _: heard.release())

    def slow(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            clock.advance(0.25)

    gc.callbacks.append(slow)  # before the watch's own, so that it stops its watch after this
    gc.disable()
    try:
        with monitor:
            assert heard.acquire(timeout=30)
            before = monitor.read().gc
            gc.collect()
            during = monitor.read().gc
            after = monitor.read().gc
        gc.collect()
        assert (during.pauses - before.pauses, during.paused - before.paused) == (1, 0.25)
        assert (during.longest, after.longest) == (0.25, 0.0)
        assert during.collections[2] == before.collections[2] + 1
        assert monitor.read().gc.pauses == after.pauses
    finally:
        gc.enable()
        gc.callbacks.remove(slow)


async def test_a_loop_that_comes_late_is_seen() -> None:
    """Also while it still stands, which only another thread can tell."""
    clock = ManualClock()
    monitor = ResourceMonitor(clock=clock)
    monitor.watch_loop(every=0.1)
    clock.advance(0.35)
    standing = monitor.read().loops
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    came, again = monitor.read().loops, monitor.read().loops
    assert standing == (LoopUse("main", 0.0, 0.25, 0, 0.0),)
    assert came == (LoopUse("main", 0.25, 0.25, 1, 0.25),)
    assert again == (LoopUse("main", 0.25, 0.0, 1, 0.25),)
    monitor.stop()
    assert monitor.read().loops == ()


def test_a_loop_that_is_closed_is_watched_no_more() -> None:
    """Its name may be given to the next."""
    monitor = ResourceMonitor()

    async def watch() -> None:
        monitor.watch_loop()
        with pytest.raises(ConfigError, match="a loop 'main' is watched already; give this one another name"):
            monitor.watch_loop()

    asyncio.run(watch())
    assert monitor.read().loops == ()
    asyncio.run(watch())


def test_a_reading_is_a_snapshot_of_metrics() -> None:
    """With units, sorted, and nothing that was not told."""
    monitor = ResourceMonitor()
    snapshot = monitor.snapshot()
    names = [family.name for family in snapshot.families]
    assert names == sorted(set(names))
    assert all(family.samples for family in snapshot.families)
    rss = snapshot.family("seawall_process_resident_memory_bytes")
    assert rss is not None
    assert (rss.unit, rss.samples[0].value) == ("bytes", float(monitor.latest.process.rss))  # type: ignore[union-attr]
    assert snapshot.family("seawall_process_cpu_ratio") is None
    json.dumps(snapshot.to_dict())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": 0}, "interval must be 0.05 s to 3600 s, got 0"),
        ({"disks": "/"}, "disks must be several paths such as ('/', '/data'), got '/'"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    """With the range."""
    with pytest.raises(ConfigError) as refused:
        ResourceMonitor(**options)
    assert str(refused.value) == message


def test_outside_of_a_loop_there_is_none_to_watch() -> None:
    """Told how to."""
    with pytest.raises(ConfigError) as refused:
        ResourceMonitor().watch_loop()
    assert str(refused.value) == "watch_loop() watches the event loop it is called in; call it in a coroutine"


def test_without_psutil_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the monitor is made, not when it is imported."""
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    with pytest.raises(ConfigError) as refused:
        ResourceMonitor()
    assert str(refused.value) == "resources are read through psutil; pip install 'seawall[monitor]' brings it"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_reads_itself() -> None:
    """And its sampler is stopped until it starts it."""
    monitor = ResourceMonitor(interval=3600)
    with monitor:
        child = os.fork()
        if child == 0:
            good = False
            try:
                good = not monitor.running and monitor._facts.process().threads >= 1
                good = good and monitor._facts._process.pid == os.getpid()
            finally:
                os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
