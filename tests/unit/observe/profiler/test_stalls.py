"""Loops that do not run, and the stacks that block them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe.profiler import Stall, StallDetector
from seawall.observe.profiler._stall_watch import StallWatch

MS = 1_000_000


def watch(**more: int) -> StallWatch:
    """A tenth of a second, looked at every 25 ms."""
    return StallWatch(threshold=100 * MS, tick=25 * MS, max_captures=3, beat=0, **more)


def test_a_loop_that_comes_round_is_not_stalled() -> None:
    """A tick late is not a stall yet."""
    machine = watch()
    for now in range(0, 2_000, 25):
        machine.beat = now * MS
        assert machine.step((now + 120) * MS, running=True) == "runs"


def test_a_stall_is_captured_at_doubling_times_and_ends() -> None:
    """At the threshold, at twice and at four times it; then no more; and its length is told at the end."""
    machine = watch()
    steps = {now: machine.step(now * MS, running=True) for now in range(100, 1_500, 25)}
    assert [now for now, step in steps.items() if step == "capture"] == [125, 225, 425]
    assert steps[1_475] == "wait"
    machine.beat = 1_500 * MS
    assert machine.step(1_510 * MS, running=True) == "ended"
    assert machine.ended_after == 1_475 * MS
    assert machine.step(1_520 * MS, running=True) == "runs"


def test_a_loop_that_was_stopped_is_not_stalled() -> None:
    """Between two runs it need not come round, and starts afresh."""
    machine = watch()
    for now in (500, 1_000, 1_500):
        assert machine.step(now * MS, running=False) == "runs"
    assert machine.step(1_550 * MS, running=True) == "runs"
    assert machine.step(1_625 * MS, running=True) == "capture"


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=60))
def test_every_stall_that_is_noticed_ends_once(moves: list[tuple[int, bool]]) -> None:
    """Captures come only inside a stall, at most three of each, and every one is followed by at most one end."""
    machine, now, captures, open_stall = watch(), 0, 0, False
    for step_ms, beats in moves:
        now += step_ms * MS
        if beats:
            machine.beat = now
        step = machine.step(now, running=True)
        if step == "capture":
            captures = captures + 1 if open_stall else 1
            open_stall = True
            assert captures <= 3
        elif step == "ended":
            assert open_stall
            assert machine.ended_after >= 0
            open_stall = False
        elif step == "runs":
            assert not open_stall


def block(until: threading.Event) -> None:
    """Blocks whatever calls it."""
    until.wait()  # the line that blocks


class Seen:
    """Collects events, and lets the loop go when it has the first."""

    def __init__(self) -> None:
        self.stalled: list[Stall] = []
        self.ended: list[Stall] = []
        self.noticed, self.over = threading.Event(), threading.Event()

    def connect(self, detector: StallDetector) -> None:
        detector.stalled.connect(self._stalled)
        detector.ended.connect(self._ended)

    def _stalled(self, event: Stall) -> None:
        self.stalled.append(event)
        self.noticed.set()

    def _ended(self, event: Stall) -> None:
        self.ended.append(event)
        self.over.set()


def test_the_blocking_line_is_seen_while_it_blocks() -> None:
    """The event comes before the loop runs again: here the loop runs again only because it came."""
    seen = Seen()

    async def handler() -> None:
        block(seen.noticed)
        while not seen.over.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)

    async def main(detector: StallDetector) -> None:
        detector.watch(name="api")
        await asyncio.sleep(0.05)
        await asyncio.create_task(handler(), name="handler-7")

    with StallDetector(0.1) as detector:
        seen.connect(detector)
        asyncio.run(main(detector))
    event = seen.stalled[0]
    functions = [frame.function for frame in event.stack]
    assert functions[-3:] == ["block", "Event.wait", "Condition.wait"]
    line = next(frame for frame in event.stack if frame.function == "block")
    assert line.line == block.__code__.co_firstlineno + 2
    assert (event.loop, event.task, event.ended) == ("api", "handler-7", False)
    assert event.seconds >= 0.1
    assert "until.wait()  # the line that blocks" in event.text()
    assert event.place == event.stack[-1]
    ended = seen.ended[0]
    assert ended.ended
    assert ended.seconds >= event.seconds
    stats = detector.stats()
    assert stats.stalls >= 1
    assert stats.longest >= 0.1
    assert stats.places[0][0].function == "Condition.wait"


def test_several_loops_are_told_apart() -> None:
    """One blocks, the other does not; the event names the one that does."""
    seen = Seen()
    stop = threading.Event()

    async def calm(detector: StallDetector) -> None:
        detector.watch(name="calm")
        while not stop.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0.01)

    async def blocked(detector: StallDetector) -> None:
        detector.watch(name="blocked")
        await asyncio.sleep(0.01)
        block(seen.noticed)

    with StallDetector(2.0) as detector:
        seen.connect(detector)
        other = threading.Thread(target=lambda: asyncio.run(calm(detector)))
        other.start()
        asyncio.run(blocked(detector))
        stop.set()
        other.join()
    assert {event.loop for event in seen.stalled} == {"blocked"}


class Scene:
    """A loop that is watched by hand, on a clock that stands."""

    def __init__(self, **options: int) -> None:
        self.clock = ManualClock(start=100.0)
        self.detector = StallDetector(1.0, clock=self.clock, **options)
        self.seen = Seen()
        self.seen.connect(self.detector)

    def run(self, work: Callable[[], object]) -> None:
        """`work` inside a loop that has come round."""

        async def main() -> None:
            self.detector.watch()
            await asyncio.sleep(0)
            work()

        asyncio.run(main())


def test_checks_by_hand_on_a_manual_clock() -> None:
    """Stall, captures and held time are functions of the clock alone."""
    scene = Scene()

    def work() -> None:
        scene.clock.advance(1.1)
        scene.detector.check()
        assert scene.seen.stalled == []
        scene.clock.advance(0.15)
        scene.detector.check()
        scene.clock.advance(1.0)
        scene.detector.check()

    scene.run(work)
    (event,) = scene.seen.stalled
    assert event.seconds == 1.0
    assert any(frame.function.endswith("work") for frame in event.stack)
    scene.detector.check()
    assert scene.seen.ended == []  # the loop is closed, and forgotten
    assert scene.detector.stats().loops == 0


def test_places_are_bounded() -> None:
    """More blocking lines than are counted apart count as one."""
    scene = Scene(max_places=1)
    from seawall.observe.profiler._stalls import _Watched

    machine = StallWatch(10, 2, 1, 0)
    for line in range(5):
        one = _Watched(asyncio.new_event_loop(), "x", machine)
        from seawall.observe.profiler import Frame

        one.captures = [(Frame("f", "x.py", line),)]
        scene.detector._note(one, new=True)
        loop = one.loop()
        if loop is not None:
            loop.close()
    places = scene.detector.stats().places
    assert sorted((frame.function, count) for frame, count, _ in places) == [("(places beyond the limit)", 4), ("f", 1)]


def test_a_detector_lets_go() -> None:
    """Unwatched, stopped or collected, a loop is watched no more; watching twice is watching once."""
    scene = Scene()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        scene.detector.watch()
        scene.detector.watch(loop)
        assert scene.detector.stats().loops == 1
        scene.detector.unwatch(loop)
        scene.detector.unwatch(loop)
        assert scene.detector.stats().loops == 0
        scene.detector.watch()
        scene.detector.stop()
        assert scene.detector.stats().loops == 0

    asyncio.run(main())
    assert repr(scene.detector) == "<StallDetector, threshold 1 s, 0 loops, not running>"


def test_misuse_of_the_detector_is_told() -> None:
    """Outside a loop, a closed one, an option out of range."""
    detector = StallDetector()
    with pytest.raises(ConfigError) as caught:
        detector.watch()
    assert str(caught.value) == "no event loop runs here; give the loop, or call watch() inside a coroutine"
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(ConfigError, match=r"^this event loop is closed; watch it while it is open$"):
        detector.watch(loop)
    with pytest.raises(ConfigError) as caught:
        StallDetector(0)
    assert str(caught.value) == (
        "threshold must be 0.001 to 3600 s, got 0; how long a loop may not run before it counts as stalled"
    )
