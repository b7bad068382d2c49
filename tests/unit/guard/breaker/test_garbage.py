"""Permits, calls and breakers that the garbage collector ends."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.guard.breaker.driving import breaker_at, opened, probing

from seawall.clock import ManualClock
from seawall.memory import Segment


def test_a_permit_in_a_cycle_gives_its_place_back(clock: ManualClock) -> None:
    """A probe caught in a reference cycle, as in the frames of an exception, does not block the breaker."""
    breaker, probe = probing(clock)
    cycle: list[object] = [probe]
    cycle.append(cycle)
    del probe, cycle
    gc.collect()
    assert breaker.enter().is_probe


def test_a_cycle_of_everything_ends_without_a_crash(tmp_path: Path) -> None:
    """Breaker, clock, segment, receivers, permits, an awaited call: collected together in any order."""
    for number in range(50):
        clock = ManualClock(1.0)
        clock.mark = [clock]
        breaker = opened(clock, shared=Segment(str(tmp_path / f"s{number % 3}"), size=64 * 1024))
        breaker.force_close()
        breaker.state_changed.connect(breaker.reset)

        @breaker
        async def call(held: list) -> None:
            held.append(held)
            await Pending()

        flight = call([breaker, clock])
        flight.send(None)
        breaker.held = [breaker.enter() for _ in range(5)]
        breaker.held.append(breaker.held)
        clock.held = [breaker, flight, breaker.held]
        del clock, breaker, flight, call
        gc.collect()


def test_an_awaited_call_that_is_dropped_gives_its_place_back(clock: ManualClock) -> None:
    """A coroutine nobody goes on with is a cancelled call."""
    breaker, probe = probing(clock)
    probe.ignore()

    @breaker
    async def call() -> None:
        await Pending()

    flight = call()
    flight.send(None)
    assert not breaker.try_enter()
    del flight
    gc.collect()
    assert breaker.enter().is_probe


def test_an_async_generator_that_is_dropped_gives_its_place_back(clock: ManualClock) -> None:
    """Also without a loop that would close it."""
    breaker, probe = probing(clock)
    probe.ignore()

    @breaker
    async def items() -> AsyncIterator[int]:
        yield 1

    stream = items()
    with pytest.raises(StopIteration):
        anext(stream).send(None)
    assert not breaker.try_enter()
    del stream
    gc.collect()
    assert breaker.enter().is_probe


class Pending:
    """Awaits for ever."""

    def __await__(self):
        """Never goes on."""
        yield


def test_a_breaker_dies_with_its_last_user(clock: ManualClock) -> None:
    """A permit keeps its breaker alive, nothing else does."""
    permit = breaker_at(clock).enter()
    gc.collect()
    permit.success()
    assert repr(permit) == "<Permit of 'payments' answered>"
