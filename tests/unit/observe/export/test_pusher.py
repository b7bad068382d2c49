"""What pushes again and again."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe.export import Pusher


class Target:
    """Counts pushes, and fails those that it is told to."""

    def __init__(self, *failing: int) -> None:
        self.failing = failing
        self.count = 0
        self.closed = 0
        self.came = threading.Semaphore(0)

    def push(self) -> None:
        """One more."""
        self.count += 1
        try:
            if self.count in self.failing:
                raise OSError(f"push {self.count}")
        finally:
            self.came.release()

    def close(self) -> None:
        """Nothing is open."""
        self.closed += 1


def wait_for(target: Target) -> None:
    """Until it is pushed once more."""
    assert target.came.acquire(timeout=60)


def settle(clock: ManualClock) -> None:
    """Until the thread waits for the clock."""
    while not clock.waiting:
        threading.Event().wait(0.001)


def test_it_pushes_in_equal_steps_and_once_more_at_the_end() -> None:
    """Nothing is pushed before the first step, and what came since the last step is pushed when it stops."""
    clock, target = ManualClock(), Target()
    with Pusher(target, every=10, clock=clock) as pusher:
        settle(clock)
        clock.advance(9.9)
        settle(clock)
        assert target.count == 0
        for _ in range(3):
            settle(clock)
            clock.advance(10)
            wait_for(target)
        settle(clock)
    assert target.count == 4
    assert (pusher.pushes, pusher.failures, pusher.last_error) == (4, 0, None)


def test_steps_that_were_missed_are_not_made_up_for() -> None:
    """After a long sleep there is one push, not a hundred."""
    clock, target = ManualClock(), Target()
    with Pusher(target, every=10, clock=clock):
        settle(clock)
        clock.advance(1000)
        wait_for(target)
        settle(clock)
        assert target.count == 1
    assert target.count == 2


def test_a_push_that_fails_ends_nothing() -> None:
    """It is counted and kept, and the next is due."""
    clock, target = ManualClock(), Target(1, 2)
    with Pusher(target, every=1, clock=clock) as pusher:
        for _ in range(3):
            settle(clock)
            clock.advance(1)
            wait_for(target)
        settle(clock)
        assert (pusher.pushes, pusher.failures, str(pusher.last_error)) == (1, 2, "push 2")


def test_it_can_be_started_and_stopped_again() -> None:
    """Both may be said twice, and one that never ran stops at once."""
    target = Target()
    pusher = Pusher(target, every=3600)
    assert pusher.stop()
    for _ in range(2):
        pusher.start().start()
        assert pusher.stop()
        assert pusher.stop()
    assert (target.count, target.closed) == (2, 2)


def test_stopping_does_not_wait_for_ever() -> None:
    """A push that hangs is left to itself: stop says so."""
    going, ended = threading.Event(), threading.Event()

    class Hanging:
        def push(self) -> None:
            going.set()
            ended.wait(60)

    pusher = Pusher(Hanging(), every=3600).start()
    assert not pusher.stop(timeout=0.01)
    assert going.wait(60)
    ended.set()


@pytest.mark.parametrize("every", [0, 0.01, 86_401, True, "10", float("nan")])
def test_steps_must_make_sense(every: Any) -> None:
    """The message names the option, the value and the range."""
    with pytest.raises(ConfigError) as told:
        Pusher(Target(), every=every)
    assert str(told.value) == f"every must be 0.1 to 86,400 seconds, got {every!r}; 15 is the default"
