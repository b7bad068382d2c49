"""Leaks are found, and waves, starts and noise are not taken for leaks."""

from __future__ import annotations

import math
import os
import random
import sys
import tracemalloc
from collections.abc import Callable, Sequence

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.suspicion import GrowthOptions, GrowthWatch, Leak, leaks, process_readings, trend

COUNT = 900
RNG = random.Random(6)
OPTIONS = GrowthOptions(window=COUNT)


def sawtooth(at: int) -> float:
    """Garbage that is collected every 37 s: 100 MB, waves of 60."""
    return 100 + 60 * (at % 37) / 37


SHAPES: dict[str, tuple[Callable[[int], float], bool]] = {
    "flat": (lambda at: 100.0, False),
    "noise": (lambda at: 100 + RNG.gauss(0, 5), False),
    "sawtooth": (sawtooth, False),
    "sawtooth of random height": (lambda at: 100 + RNG.uniform(0, 60) * (at % 29) / 29, False),
    "a cache that fills up and is full": (lambda at: 100 + 80 * (1 - math.exp(-at / 120)), False),
    "a step, as of a new configuration": (lambda at: 100.0 if at < 400 else 150.0, False),
    "a tide of half a window": (lambda at: 100 + 20 * math.sin(2 * math.pi * at / 450), False),
    "falling": (lambda at: 200 - at / 10, False),
    "a growth of less than a twentieth": (lambda at: 100 + at / 900 * 4, False),
    "a steady leak": (lambda at: 100 + at / 20, True),
    "a leak under noise": (lambda at: 100 + at / 20 + RNG.gauss(0, 5), True),
    "a leak under a sawtooth": (lambda at: sawtooth(at) + at / 30, True),
    "a leak in steps": (lambda at: 100 + at // 60 * 3, True),
    "a leak that grows faster and faster": (lambda at: 100 + (at / 150) ** 2, True),
}


@pytest.mark.parametrize("name", SHAPES)
def test_leaks_are_told_from_what_only_looks_like_one(name: str) -> None:
    """By the shape of a window."""
    shape, leaking = SHAPES[name]
    found = leaks(list(range(COUNT)), [shape(at) for at in range(COUNT)], OPTIONS)
    assert (found is not None) is leaking
    if found is not None:
        assert 0 < found[0].low <= found[0].slope <= found[0].high
        assert found[0].p <= OPTIONS.p


def test_noise_is_taken_for_a_leak_as_seldom_as_is_asked_for() -> None:
    """Of 300 windows of noise that is as large as the growth that matters, at most two at p = 0.001."""
    rng = random.Random(1)
    options = GrowthOptions(window=240, blocks=20, least_share=0.0)
    told = sum(
        leaks(list(range(240)), [100 + rng.gauss(0, 5) for _ in range(240)], options) is not None for _ in range(300)
    )
    assert told <= 2


def run(watch: GrowthWatch, clock: ManualClock, seconds: int, each: Callable[[], object]) -> list[Leak]:
    """Let time pass, look every five seconds."""
    found: list[Leak] = []
    for _ in range(0, seconds, 5):
        each()
        clock.advance(5)
        found += watch.look()
    return found


def traced(name: str, clock: ManualClock) -> GrowthWatch:
    """Follows what tracemalloc counts; a megabyte is worth telling."""
    readings = {name: lambda: float(tracemalloc.get_traced_memory()[0])}
    return GrowthWatch(readings, window=600, least_growth=1e6, clock=clock)


class Session:
    """What is leaked."""

    def __init__(self) -> None:
        self.data = bytearray(10_000)


def test_a_planted_leak_is_found_with_the_type_and_the_line() -> None:
    """A list that nobody empties; the evidence names the class, and where it was allocated."""
    sessions: list[Session] = []
    clock = ManualClock()
    tracemalloc.start()
    try:
        watch = traced("sessions_bytes", clock)
        found = run(watch, clock, 900, lambda: sessions.extend(Session() for _ in range(20)))
    finally:
        tracemalloc.stop()
    (leak,) = found
    text = str(leak)
    assert "test_growth.Session (now " in text
    assert "test_growth.py:" in text
    assert text.startswith("sessions_bytes grows by ")
    assert 1.5e8 > leak.trend.slope * 3600 > 1e8  # 200 kB in 5 s


def test_garbage_that_is_collected_is_no_leak() -> None:
    """The same objects, let go every now and then: the sawtooth of real memory."""
    sessions: list[Session] = []
    clock = ManualClock()

    def churn() -> None:
        sessions.extend(Session() for _ in range(20))
        if len(sessions) > 120:
            sessions.clear()

    tracemalloc.start()
    try:
        watch = traced("bytes", clock)
        assert run(watch, clock, 1500, churn) == []
    finally:
        tracemalloc.stop()


def test_a_leak_is_told_once_and_again_after_it_was_over() -> None:
    """While it lasts `suspected` has it, with the newest figures and the first evidence."""
    clock, level = ManualClock(), [100.0, 1.0]

    def grow() -> None:
        level[0] += level[1]

    watch = GrowthWatch({"fds": lambda: level[0]}, window=300, evidence=False, clock=clock)
    told: list[Leak] = []
    watch.told.connect(told.append)
    assert len(run(watch, clock, 900, grow)) == 1
    assert watch.suspected["fds"].now > told[0].now
    level[1] = 0.0
    assert run(watch, clock, 600, grow) == []
    assert watch.suspected == {}
    level[1] = 1.0
    assert len(run(watch, clock, 600, grow)) == 1


def test_nothing_is_said_before_a_window_is_full() -> None:
    """A start looks like a leak."""
    clock, level = ManualClock(), [100.0]
    watch = GrowthWatch({"x": lambda: level[0]}, window=1000, evidence=False, clock=clock)
    assert run(watch, clock, 800, lambda: level.append(level.pop() + 1)) == []


def test_what_is_kept_is_bounded_however_often_anybody_looks() -> None:
    """Sixteen values a block."""
    clock = ManualClock()
    watch = GrowthWatch({"x": lambda: 1.0}, window=100, evidence=False, clock=clock)
    for _ in range(5000):
        clock.advance(0.05)
        watch.look()
    assert len(watch._kept["x"]) <= 20 * 16 + 1


def test_a_reading_that_raises_or_is_missing_spoils_no_other() -> None:
    """It is counted."""
    clock, level = ManualClock(), [100.0]

    def fail() -> float:
        raise OSError("gone")

    watch = GrowthWatch(
        {"bad": fail, "none": lambda: None, "x": lambda: level[0]}, window=300, evidence=False, clock=clock
    )
    found = run(watch, clock, 600, lambda: level.append(level.pop() + 1))
    assert [leak.name for leak in found] == ["x"]
    assert watch.failures == 120


def test_this_process_has_readings() -> None:
    """Memory, descriptors and threads are there, and a file that is opened shows."""
    readings = process_readings()
    values = {name: read() for name, read in readings.items()}
    assert values["resident_bytes"] is not None
    assert values["resident_bytes"] > 10 * 2**20
    before = readings["open_fds"]()
    with open(__file__):
        after = readings["open_fds"]()
    assert before is not None
    assert after == before + 1


async def test_tasks_of_the_running_loop_are_counted() -> None:
    """Without being told which loop it is."""
    import asyncio

    count = process_readings()["tasks"]
    before = count()
    task = asyncio.create_task(asyncio.Event().wait())
    assert count() == before + 1  # type: ignore[operator]
    task.cancel()


# -- trends -----------------------------------------------------------------------------------------------------------


def test_a_trend_is_that_of_the_literature() -> None:
    """S, its variance with ties, and p as by Kendall's book for a small series with ties."""
    found = trend(range(8), [1, 2, 2, 3, 5, 4, 6, 6])
    s = 25 - 1  # 26 pairs differ, of which one falls
    assert math.isclose(found.tau, s / 28)
    deviation = math.sqrt((8 * 7 * 21 - 2 * (2 * 1 * 9)) / 18)
    z = (s - 1) / deviation
    assert math.isclose(found.p, math.erfc(z / math.sqrt(2)), rel_tol=1e-9)


@pytest.mark.parametrize(
    ("times", "values", "confidence", "message"),
    [
        ([1, 2], [1, 2], 0.99, "values must be at least 8, as many as times, got 2 and 2"),
        (range(9), range(8), 0.99, "values must be at least 8, as many as times, got 8 and 9"),
        (range(8), range(8), 1.0, "confidence must be 0.5 to 0.9999, got 1.0"),
    ],
)
def test_what_has_no_trend_is_refused(
    times: Sequence[float], values: Sequence[float], confidence: float, message: str
) -> None:
    """With how much there must be."""
    with pytest.raises(ConfigError) as caught:
        trend(times, values, confidence=confidence)
    assert str(caught.value) == message


def test_without_proc_psutil_tells_and_without_psutil_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that has no /proc."""
    pytest.importorskip("psutil")

    listing = os.listdir

    def refuse(path: object) -> list[str]:
        if str(path).startswith("/proc/self"):
            raise FileNotFoundError(path)
        return listing(path)  # type: ignore[call-overload]

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    monkeypatch.setattr("os.listdir", refuse)
    readings = process_readings()
    assert all((readings[name]() or 0) > 0 for name in ("resident_bytes", "open_fds"))
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert [readings[name]() for name in ("resident_bytes", "open_fds")] == [None, None]
