"""A loop on a thread of its own serves threads and other loops."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from typing import Any

import pytest

from seawall.engines._portal import Portal, PortalWire
from seawall.errors import ConfigError, UnknownOutcome

FORK = multiprocessing.get_context("fork")


class LoopWire(PortalWire):
    """Answers with the loop it was asked in; 'wait' waits for ever, and tells when it begins and is cancelled."""

    def __init__(self) -> None:
        super().__init__("test://portal")
        self.began, self.cancelled = threading.Event(), threading.Event()
        self.disconnected = 0

    async def _execute(self, what: Any, timeout: float) -> Any:
        if what != "wait":
            return asyncio.get_running_loop()
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def _disconnect(self) -> None:
        self.disconnected += 1


@pytest.fixture
def wire():
    """Closed afterwards."""
    made = LoopWire()
    yield made
    made.close()


def test_threads_and_loops_meet_in_one_loop(wire):
    """Which is none of theirs."""
    from_thread = wire.execute("loop", 1.0)

    async def main() -> Any:
        assert await wire.execute_async("loop", 1.0) is not asyncio.get_running_loop()
        return await wire.execute_async("loop", 1.0)

    assert asyncio.run(main()) is asyncio.run(main()) is from_thread


def test_a_cancelled_caller_cancels_what_it_asked(wire):
    """So nothing goes on for nobody."""

    async def main() -> None:
        task = asyncio.create_task(wire.execute_async("wait", 1.0))
        await asyncio.to_thread(wire.began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert wire.cancelled.wait(10)


def test_no_thread_before_the_first_call_and_none_after_close():
    """Closing disconnects, once, and cancels what is under way."""
    before = threading.active_count()
    wire = LoopWire()
    assert threading.active_count() == before
    failed: list[str] = []

    def wait() -> None:
        with pytest.raises(UnknownOutcome) as ended:
            wire.execute("wait", 1.0)
        failed.append(str(ended.value))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert wire.began.wait(10)
    asyncio.run(wire.close_async())
    wire.close()
    waiting.join(10)
    assert wire.cancelled.is_set()
    assert failed == ["test://portal was closed while this call was under way; it may have had its effect"]
    assert wire.disconnected == 1
    assert threading.active_count() == before
    with pytest.raises(ConfigError, match=r"^test://portal is closed; open another engine$"):
        wire.execute("loop", 1.0)


def ask_in_a_child(portal: Portal, answers: Any) -> None:
    """Use the parent's portal in the child."""

    async def answer() -> int:
        return 42

    answers.put(portal.run(answer()))
    portal.close()


def test_a_forked_child_has_a_loop_of_its_own():
    """The parent's goes on."""
    portal, answers = Portal("test"), FORK.SimpleQueue()

    async def answer() -> int:
        return 1

    assert portal.run(answer()) == 1
    child = FORK.Process(target=ask_in_a_child, args=(portal, answers))
    child.start()
    assert answers.get() == 42
    child.join(10)
    assert child.exitcode == 0
    assert portal.run(answer()) == 1
    portal.close()
