"""Laws of hedges and throttles."""

from __future__ import annotations

import asyncio
import threading
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.throttle import Criticality
from seawall.testing import run

# How one copy ends: after how many ticks of time, and how.
COPY = st.tuples(st.integers(0, 30), st.sampled_from(["good", "good", "fails", "bad"]))
CALL = st.tuples(st.integers(0, 20), st.lists(COPY, min_size=4, max_size=4), st.none() | st.integers(0, 40))
TICK = 0.01


class World:
    """A service whose copies end as was drawn, and what became of each."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.running = 0
        self.made: dict[int, int] = {}
        self.late: list[Any] = []

    async def ask(self, number: int, copies: list[tuple[int, str]]) -> tuple[int, int, str]:
        """One copy of call `number`."""
        copy = self.made[number] = self.made.get(number, 0) + 1
        ticks, how = copies[copy - 1]
        self.running += 1
        try:
            await self.clock.sleep_async(ticks * TICK)
        finally:
            self.running -= 1
        if how == "fails":
            raise OSError(number, copy)
        return number, copy, how


def expected(copies: list[tuple[int, str]], after: int, most: int) -> int:
    """At which tick a call without a bound on copies ends."""
    ends, live = [], []
    for copy in range(most):
        start = copy * after
        if copy and (
            min([end for end, how in live if how == "good"], default=start) < start or max(e for e, _ in live) < start
        ):
            break
        ticks, how = copies[copy]
        live.append((start + ticks, how))
    good = [end for end, how in live if how == "good"]
    ends = [end for end, _ in live]
    return min(good) if good else max(ends)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(CALL, min_size=1, max_size=12),
    st.integers(1, 15),
    st.integers(2, 4),
    st.sampled_from([0.1, 0.25, 0.5, 1.0, None]),
)
def test_every_call_has_one_answer_within_the_budget_and_leaves_nothing_behind(
    calls: list[tuple[int, list[tuple[int, str]], int | None]], after: int, most: int, budget: float | None
) -> None:
    """Whatever copies fail or hang, and whoever is cancelled when: its own answer, once; no task, no timer, no debt."""
    clock = ManualClock()
    world = World(clock)
    hedge = sw.Hedge(
        after * TICK,
        idempotent=True,
        max_copies=most,
        budget=budget,
        clock=clock,
        good=lambda result: result[2] == "good",
    )

    async def one(number: int, begin: int, copies: list[tuple[int, str]], cancel: int | None) -> None:
        await clock.sleep_async(begin * TICK)
        call = asyncio.create_task(hedge.call_async(world.ask, number, copies))
        if cancel is not None:
            await clock.sleep_async(cancel * TICK)
            call.cancel()
        began = clock.now_ns() if cancel is None else None
        [answer] = await asyncio.gather(call, return_exceptions=True)
        made = copies[: world.made.get(number, 0)]
        if isinstance(answer, asyncio.CancelledError):
            assert cancel is not None
        elif isinstance(answer, OSError):
            assert answer.args[:2] == (number, 1)
            assert all(how != "good" for _, how in made)
        else:
            assert answer[0] == number
            assert answer[2] == "good" or all(how != "good" for _, how in made)
        if began is not None and budget is None:
            assert (clock.now_ns() - began) <= (expected(copies, after, most) * TICK + 1e-6) * 1e9

    async def all_calls() -> None:
        await asyncio.gather(*(one(number, *call) for number, call in enumerate(calls)))
        assert len(asyncio.all_tasks()) == 1

    run(all_calls(), clock)
    stats = hedge.stats()
    assert (world.running, clock.waiting) == (0, 0)
    assert stats.calls == len(world.made)  # a task that is cancelled before it begins makes no call
    # A copy whose call has its answer in the same moment is cancelled before it asks.
    assert stats.hedged >= sum(world.made.values()) - len(world.made)
    assert all(copies <= most for copies in world.made.values())
    if budget is not None:
        assert stats.hedged <= budget * stats.calls


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.sampled_from([0.1, 0.5]), st.integers(0, 1000))
def test_the_budget_holds_for_plain_calls_of_many_threads(threads: int, budget: float, seed: int) -> None:
    """Copies made are those counted, and never above the budget."""
    made, lock = [0], threading.Lock()
    hedge = sw.Hedge(0.0001, idempotent=True, budget=budget, max_threads=8)

    def work(pause: float) -> int:
        with lock:
            made[0] += 1
        threading.Event().wait(pause)
        return 1

    def several(rng: Random) -> None:
        assert [hedge.call(work, rng.random() * 0.0005) for _ in range(10)] == [1] * 10

    workers = [threading.Thread(target=several, args=(Random(seed + n),)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    hedge._pool.shutdown(wait=True)  # type: ignore[union-attr] -- losers run to their end
    stats = hedge.stats()
    assert (stats.calls, stats.running) == (10 * threads, 0)
    assert made[0] == 10 * threads + stats.hedged
    assert stats.hedged <= budget * 10 * threads


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(list(Criticality)), st.booleans()), max_size=150),
    st.floats(1.1, 5.0),
    st.integers(0, 1000),
)
def test_a_throttle_refuses_as_the_formula_says(
    calls: list[tuple[int, Criticality, bool]], k: float, seed: int
) -> None:
    """Against a list of everything that happened: the same window, the same chance, the same draws."""
    clock, rng = ManualClock(), Random(seed)
    throttle = sw.Throttle(k=k, window=24, clock=clock, seed=seed)
    ks = dict(zip(Criticality, (1 + (k - 1) * 0.1, 1 + (k - 1) * 0.5, k, 1 + (k - 1) * 2), strict=True))
    events: list[tuple[int, Criticality, bool]] = []

    def answer(accepts: bool) -> None:
        if not accepts:
            raise sw.RateLimited("too many")

    for pause, which, accepts in calls:
        clock.advance(pause)
        bucket = clock.now_ns() // 1_000_000_000
        seen = [accepted for at, one, accepted in events if one is which and at > bucket - 24]
        chance = max(0.0, (len(seen) - ks[which] * sum(seen)) / (len(seen) + 1))
        held = chance > 0 and rng.random() < chance
        events.append((bucket, which, accepts and not held))
        with which.applied():
            if held or not accepts:
                with pytest.raises(sw.errors.Throttled if held else sw.RateLimited):
                    throttle.call(answer, accepts)
            else:
                throttle.call(answer, accepts)
