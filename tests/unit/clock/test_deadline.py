"""The time a call has left."""

import asyncio
import re
from datetime import timedelta

import pytest

from seawall.clock import Deadline, ManualClock
from seawall.errors import ConfigError


def test_what_remains_falls_to_zero():
    """Remaining is in seconds, never below 0."""
    clock = ManualClock()
    deadline = Deadline(2, clock=clock)
    assert (deadline.at_ns, deadline.remaining()) == (2_000_000_000, 2.0)
    clock.advance(1.5)
    assert deadline.remaining() == 0.5
    clock.advance(1)
    assert deadline.remaining() == 0.0


def test_it_is_in_force_inside_its_block_only():
    """Current is None outside, also after an exception."""
    assert Deadline.current() is None
    with Deadline(2, clock=ManualClock()) as deadline:
        assert Deadline.current() is deadline
    assert Deadline.current() is None
    with pytest.raises(KeyError), Deadline(2, clock=ManualClock()):
        raise KeyError
    assert Deadline.current() is None


@pytest.mark.parametrize(("outer", "inner", "in_force"), [(5, 2, 2.0), (2, 5, 2.0), (3, 3, 3.0)])
def test_of_nested_deadlines_the_sooner_is_in_force(outer, inner, in_force):
    """An inner deadline can only shorten the time."""
    clock = ManualClock()
    with Deadline(outer, clock=clock) as first:
        with Deadline(inner, clock=clock):
            assert Deadline.current().remaining() == in_force
        assert Deadline.current() is first


async def test_tasks_inherit_it_and_do_not_disturb_each_other():
    """A task started inside has the deadline; its own ends with it."""
    clock = ManualClock()

    async def call(seconds):
        inherited = Deadline.current().remaining()
        with Deadline(seconds, clock=clock):
            await asyncio.sleep(0)
            return inherited, Deadline.current().remaining()

    with Deadline(5, clock=clock) as outer:
        answers = await asyncio.gather(call(1), call(2), call(9))
        assert Deadline.current() is outer
    assert answers == [(5.0, 1.0), (5.0, 2.0), (5.0, 5.0)]


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (-0.1, "deadline must be 0 s to 2.8823e+08 s, got -0.1"),
        (float("inf"), "deadline must be 0 s to 2.8823e+08 s, got inf"),
        (timedelta(days=-1), "deadline must be 0 s to 2.8823e+08 s, got -1 day, 0:00:00"),
        (None, "deadline must be seconds (a number) or a timedelta, got None"),
    ],
)
def test_a_deadline_of_no_meaning(seconds, message):
    """A deadline is a length of time from now."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Deadline(seconds)


def test_by_default_it_runs_on_the_machines_clock():
    """Without clock= time passes by itself."""
    deadline = Deadline(1000)
    assert 0 < deadline.remaining() <= 1000
    assert Deadline(0).remaining() == 0.0


def test_it_shows_what_remains():
    """Repr says how long."""
    assert repr(Deadline(timedelta(seconds=1.5), clock=ManualClock())) == "<Deadline in 1.5 s>"
