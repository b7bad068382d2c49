"""Watches over an engine that fails: the memory engine behind a wire that is cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.engines import Deleted, Put, open_engine
from seawall.engines._driver import Driver
from seawall.engines._ports import Batch
from seawall.engines.memory._wire import Follow
from seawall.errors import Unavailable, UnknownOutcome


class CutWire:
    """Passes everything on, except that the next `cuts` questions for changes find the line cut or no answer."""

    def __init__(self, inner: Any, clock: ManualClock) -> None:
        self.inner = inner
        self.clock = clock
        self.cuts = 0
        self.silent = False
        self.asked: list[float] = []

    def fail(self, what: Any, timeout: float) -> None:
        if isinstance(what, Follow):
            self.asked.append(timeout)
            if self.cuts:
                self.cuts -= 1
                if self.silent:
                    self.clock.advance(timeout)
                    raise UnknownOutcome("no answer")
                raise Unavailable("cut")

    def execute(self, what: Any, timeout: float) -> Any:
        self.fail(what, timeout)
        return self.inner.execute(what, timeout)

    async def execute_async(self, what: Any, timeout: float) -> Any:
        self.fail(what, timeout)
        return await self.inner.execute_async(what, timeout)

    def close(self) -> None:
        self.inner.close()

    async def close_async(self) -> None:
        self.inner.close()


@pytest.fixture
def line():
    """A KeyValue, and the wire that can be cut."""
    clock = ManualClock(autojump=True)
    engine = open_engine("memory://", clock=clock, operation_timeout=2.0)
    kv = engine.key_value()
    wire = CutWire(kv._driver.wire, clock)
    kv._driver = Driver(wire, kv._driver.options, clock, "memory://")
    return kv, wire


def test_a_cut_line_is_taken_up_again_without_loss(line):
    """The watch resumes from its last revision."""
    kv, wire = line
    watch = kv.watch(after=0)
    kv.put("a", b"1")
    assert watch.poll() == Put("a", b"1", 1)
    wire.cuts = 3
    kv.put("a", b"2")
    kv.delete("a")
    assert [watch.poll(), watch.poll()] == [Put("a", b"2", 2), Deleted("a", 3)]
    assert wire.cuts == 0


def test_the_same_for_tasks(line):
    """One machine, two faces."""
    kv, wire = line

    async def main() -> Any:
        watch = kv.watch(after=0)
        wire.cuts = 3
        await kv.put_async("a", b"1")
        return await anext(watch)

    assert asyncio.run(main()) == Put("a", b"1", 1)


def test_silence_is_not_idleness(line):
    """An engine that does not answer within the heartbeat is asked anew, on a new line, with twice the patience."""
    kv, wire = line
    watch = kv.watch(after=0, heartbeat=1.0)
    wire.silent, wire.cuts = True, 1
    kv.put("a", b"1")
    assert watch.poll() == Put("a", b"1", 1)
    assert wire.asked == [1.0, 2.0]


def test_a_watch_that_cannot_resume_is_loud(line):
    """It ends with an error within heartbeat and operation timeout, and stands where it stood."""
    kv, wire = line
    watch = kv.watch("jobs/", after=0, heartbeat=1.0)
    wire.cuts = 1_000_000
    began = wire.clock.time()
    with pytest.raises(Unavailable) as lost:
        watch.poll()
    assert wire.clock.time() - began <= 3.0
    assert str(lost.value).startswith(
        "the watch of 'jobs/' has heard nothing from memory:// for 1 s and could not resume within 2 s ("
    )
    assert str(lost.value).endswith("); iterate again to resume after revision 0")
    wire.cuts = 0
    wire.clock.advance(5)
    kv.put("jobs/1", b"1")
    assert watch.poll() == Put("jobs/1", b"1", 1)


def test_changes_told_again_are_not_told_twice(line, monkeypatch):
    """A server that begins a little earlier after a reconnect does not make events come twice."""
    kv, _ = line

    def again(feed: Any, wait: float) -> Any:
        yield from ()
        return Batch((Put("a", b"1", 1), Put("a", b"2", 2), Put("a", b"3", 3)), 3)

    monkeypatch.setattr(kv, "_changes", again)
    watch = kv.watch(after=2)
    assert watch.poll() == Put("a", b"3", 3)
    assert watch.poll() is None
