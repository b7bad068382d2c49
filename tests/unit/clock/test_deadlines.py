"""Deadlines: what is left, where they reach, and what happens when little is left."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

import seawall as sw
from seawall.clock import ManualClock


def test_check_passes_while_time_is_left() -> None:
    """The moment it has passed, check refuses; also asked of the class."""
    clock = ManualClock()
    with sw.Deadline(1, clock=clock) as deadline:
        deadline.check()
        sw.Deadline.check()
        clock.advance(0.999)
        sw.Deadline.check()
        clock.advance(0.001)
        for check in (deadline.check, sw.Deadline.check):
            with pytest.raises(sw.DeadlineExceeded, match=r"^the deadline has passed$") as caught:
                check()
            assert caught.value.state == "passed"
        assert isinstance(caught.value, TimeoutError)


def test_without_a_deadline_the_class_asks_for_nothing() -> None:
    """Code that checks works the same where nobody set a deadline."""
    assert sw.Deadline.current() is None
    sw.Deadline.check()
    sw.Deadline.require(1e6)


def test_require_refuses_at_once_what_cannot_suffice() -> None:
    """Exactly enough is enough."""
    clock = ManualClock()
    with sw.Deadline(2, clock=clock) as deadline:
        deadline.require(2)
        with pytest.raises(sw.DeadlineExceeded, match=r"^the deadline leaves 2 s, 2.5 s are needed$") as caught:
            sw.Deadline.require(2.5)
        assert caught.value.state == "too short"


def test_the_sooner_deadline_wins_and_the_outer_comes_back() -> None:
    """Nested in any order, also the same one twice."""
    clock = ManualClock()
    outer, longer, shorter = (sw.Deadline(s, clock=clock) for s in (5, 9, 1))
    with outer:
        with longer:
            assert sw.Deadline.current() is outer
            with shorter, shorter:
                assert sw.Deadline.current() is shorter
            assert sw.Deadline.current() is outer
        assert sw.Deadline.current() is outer
    assert sw.Deadline.current() is None


async def test_one_deadline_serves_many_tasks() -> None:
    """Entered by two tasks at once and left in any order, each sees its own."""
    deadline = sw.Deadline(5, clock=ManualClock())
    go = asyncio.Event()

    async def work() -> tuple[bool, bool]:
        with deadline:
            await go.wait()
            inside = sw.Deadline.current() is deadline
        return inside, sw.Deadline.current() is None

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*tasks) == [(True, True)] * 3


def test_left_in_another_context_it_does_not_touch_that_one() -> None:
    """A block that is left elsewhere (a generator closed in another task) leaves that context alone."""
    clock = ManualClock()
    mine, other = sw.Deadline(1, clock=clock), sw.Deadline(2, clock=clock)
    contextvars.copy_context().run(mine.__enter__)
    with other:
        mine.__exit__(None, None, None)
        assert sw.Deadline.current() is other


async def test_a_manual_clock_calls_in_the_loop_and_not_inside_advance() -> None:
    """call_at is due when the clock is moved there; a cancelled timer is not, even when it was due already."""
    clock = ManualClock()
    loop = asyncio.get_running_loop()
    called: list[int] = []
    clock.call_at(10, lambda: called.append(1), loop)
    late = clock.call_at(10, lambda: called.append(2), loop)
    clock.call_at(11, lambda: called.append(3), loop).cancel()
    clock.set_ns(5)
    clock.advance(5e-9)
    assert called == []
    late.cancel()
    await asyncio.sleep(0)
    clock.advance(1)
    await asyncio.sleep(0)
    assert called == [1]
    assert clock.waiting == 0


async def test_the_system_clock_calls_in_the_loop() -> None:
    """A time that has come is called in the next round."""
    clock = sw.SystemClock()
    done = asyncio.Event()
    clock.call_at(clock.now_ns(), done.set, asyncio.get_running_loop())
    await done.wait()
