"""Laws of time in a loop on a ManualClock."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.clock import ManualClock
from seawall.testing import run, run_threads

durations = st.lists(st.integers(0, 5000), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["asyncio", "clock"]), durations), min_size=1, max_size=6))
def test_tasks_wake_exactly_when_they_asked_and_in_that_order(plans: list[tuple[str, list[int]]]) -> None:
    """Whatever mixture of asyncio's and the clock's sleeps: each ends on its instant, and time never goes back."""
    clock, woken = ManualClock(), []

    async def task(kind: str, steps: list[int]) -> None:
        due = 0
        for step in steps:
            await (asyncio.sleep(step / 1000) if kind == "asyncio" else clock.sleep_async(step / 1000))
            due += step
            woken.append((clock.now_ns(), due * 1_000_000))

    async def main() -> None:
        await asyncio.gather(*(task(kind, steps) for kind, steps in plans))

    run(main(), clock)
    assert all(abs(at - due) <= 1 for at, due in woken)  # asyncio adds up floats
    assert [at for at, _ in woken] == sorted(at for at, _ in woken)
    assert clock.now_ns() == max(at for at, _ in woken)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.integers(1, 5000), min_size=1, max_size=4), min_size=1, max_size=4))
def test_threads_wake_exactly_when_they_asked(plans: list[list[int]]) -> None:
    """The clock never passes a sleeper, and never moves while one is awake."""
    clock, wrong = ManualClock(), []

    def sleeper(steps: list[int]) -> None:
        due = 0
        for step in steps:
            clock.sleep(step / 1000)
            due += step
            if clock.now_ns() != due * 1_000_000:
                wrong.append((clock.now_ns(), due))

    run_threads(clock, *((lambda steps=steps: sleeper(steps)) for steps in plans))
    assert wrong == []
    assert clock.now_ns() == max(sum(steps) for steps in plans) * 1_000_000
