"""A whole pipeline against a simple model, and ten thousand tasks cancelled on their way through one."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.oracles.pipeline import ATTEMPTS, BURST, OPEN_FOR, OPENS_AT, PLACES, WAIT, Model

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard import Pipeline
from seawall.guard.retry import Constant


class Stopped(BaseException):
    """A cancellation."""


ENDS = {"lost": ConnectionError, "bug": TypeError, "stopped": Stopped}
OUTCOMES = st.lists(st.sampled_from(["ok", "lost", "lost", "bug", "stopped"]), min_size=ATTEMPTS, max_size=ATTEMPTS)


def callee(outcomes: Iterator[str]) -> str:
    """Ends as told."""
    end = next(outcomes)
    if end in ENDS:
        raise ENDS[end](end)
    return end


class PipelineMachine(RuleBasedStateMachine):
    """Ends, counts, states and the time itself agree with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.clock = clock = ManualClock(autojump=True)
        self.fallback = sw.Fallback("fallback", clock=clock)
        self.retry = sw.Retry(ATTEMPTS, backoff=Constant(WAIT / 1e9), jitter="none", clock=clock)
        self.breaker = sw.CircuitBreaker(
            consecutive=OPENS_AT, failure_ratio=None, open_for=OPEN_FOR / 1e9, probes=1, recovery=None, clock=clock
        )
        self.limit = sw.TokenBucket(1, burst=BURST, clock=clock)
        self.bulkhead = sw.Bulkhead(PLACES, clock=clock)
        self.guard = Pipeline(self.fallback, self.retry, self.breaker, self.limit, self.bulkhead)
        self.runner = asyncio.Runner()

    def end(self, outcomes: list[str], seconds: float | None, is_async: bool) -> str:
        """How a call through the pipeline ends."""
        left = iter(outcomes)

        async def later() -> str:
            return callee(left)

        async def run() -> str:
            with self.deadline(seconds):  # inside: a Runner's tasks run in a context of its own
                return await self.guard.call_async(later)

        try:
            if is_async:
                return self.runner.run(run())
            with self.deadline(seconds):
                return self.guard.call(callee, left)
        except TypeError:
            return "bug"
        except Stopped:
            return "stopped"

    def deadline(self, seconds: float | None) -> contextlib.AbstractContextManager[object]:
        """The one in force during a call, if any."""
        return contextlib.nullcontext() if seconds is None else sw.Deadline(seconds, clock=self.clock)

    @rule(
        outcomes=OUTCOMES,
        seconds=st.one_of(st.none(), st.sampled_from([0.5, 1.5, 2.5, 4.5])),
        is_async=st.booleans(),
    )
    def call(self, outcomes: list[str], seconds: float | None, is_async: bool) -> None:
        """A call, sync or async, with a deadline or without."""
        until = None if seconds is None else self.clock.now_ns() + int(seconds * 1e9)
        assert self.end(outcomes, seconds, is_async) == self.model.call(iter(outcomes), until)

    @rule(tenths=st.integers(1, 120))
    def advance(self, tenths: int) -> None:
        """Time goes on."""
        self.clock.advance(tenths / 10)
        self.model.now += tenths * 100_000_000

    @precondition(lambda self: self.model.taken < PLACES)
    @rule()
    def occupy(self) -> None:
        """Somebody else takes a place."""
        assert self.bulkhead.try_acquire()
        self.model.taken += 1
        self.model.count("places")

    @precondition(lambda self: self.model.taken > 0)
    @rule()
    def vacate(self) -> None:
        """And gives it back."""
        self.bulkhead.release()
        self.model.taken -= 1

    @invariant()
    def agrees(self) -> None:
        """All counts, and the clock."""
        model, counts = self.model, self.model.counts
        assert self.clock.now_ns() == model.now
        retry, breaker, bulkhead = self.retry.stats(), self.breaker.stats(), self.bulkhead.stats()
        assert breaker.state == model.state
        if model.state == "closed":
            assert breaker.consecutive == model.consecutive
        seen = {
            "calls": retry.calls,
            "retries": retry.retries,
            "recovered": retry.recovered,
            "gave up": retry.gave_up,
            "successes": breaker.successes,
            "failures": breaker.failures,
            "ignored": breaker.ignored,
            "refused by breaker": breaker.refused,
            "tokens": self.limit.stats().admitted,
            "refused by limit": self.limit.stats().refused,
            "places": bulkhead.admitted,
            "refused by bulkhead": bulkhead.refused,
            "passed": self.fallback.stats().passed,
            "fell back": self.fallback.stats().fell_back,
        }
        assert seen == {name: counts.get(name, 0) for name in seen}
        assert (bulkhead.in_flight, bulkhead.queued, self.limit.stats().waiting) == (model.taken, 0, 0)

    def teardown(self) -> None:
        """Close the loop."""
        self.runner.close()


def test_a_pipeline_does_what_its_model_does() -> None:
    """Whatever the order of calls, outcomes, cancellations, deadlines and steps of time."""
    run_state_machine_as_test(
        PipelineMachine, settings=settings(max_examples=150, stateful_step_count=30, deadline=None)
    )


class Storm:
    """Tasks through one pipeline, some of which fail once, and many of which are cancelled somewhere."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = clock = ManualClock(autojump=True)
        self.retry = sw.Retry(3, backoff=Constant(0.01), jitter="none", clock=clock)
        self.breaker = sw.CircuitBreaker(failure_ratio=0.9, min_calls=50, clock=clock)
        self.limit = sw.TokenBucket(1000, burst=20, clock=clock)
        self.bulkhead = sw.Bulkhead(8, max_queue=1000, clock=clock)
        self.timeout = sw.Timeout(60, clock=clock)
        guard = Pipeline(
            sw.Fallback(None, on=LookupError), self.retry, self.breaker, self.limit, self.bulkhead, self.timeout
        )
        self.guarded = guard(self.callee)
        self.begun = self.succeeded = self.failed = 0

    async def callee(self, turns: int, fails: bool) -> None:
        """Takes some turns of the loop; fails at most once a call."""
        self.begun += 1
        for _ in range(turns):
            await asyncio.sleep(0)
        if fails and self.chance.random() < 0.5:
            self.failed += 1
            raise ConnectionError
        self.succeeded += 1

    async def wave(self, size: int) -> int:
        """So many tasks; how many were cancelled."""
        chance = self.chance
        tasks = [asyncio.create_task(self.guarded(chance.randrange(6), chance.random() < 0.2)) for _ in range(size)]
        for _ in range(chance.randrange(20)):
            await asyncio.sleep(0)
            for task in chance.sample(tasks, size // 10):
                task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(end is None or isinstance(end, (asyncio.CancelledError, ConnectionError)) for end in ends)
        return sum(isinstance(end, asyncio.CancelledError) for end in ends)


async def test_ten_thousand_cancelled_tasks_leave_nothing_behind(seawall_seed: int) -> None:
    """No permit or place is lost, counters add up, and the breaker has heard only what the callee said."""
    storm = Storm(seawall_seed)
    cancelled = sum([await storm.wave(200) for _ in range(50)])
    assert cancelled > 1000
    retry, breaker, bulkhead = storm.retry.stats(), storm.breaker.stats(), storm.bulkhead.stats()
    assert (bulkhead.in_flight, bulkhead.queued, bulkhead.refused) == (0, 0, 0)
    assert bulkhead.admitted >= storm.begun
    assert storm.begun <= retry.attempts == retry.calls + retry.retries
    assert retry.retries + retry.gave_up <= storm.failed
    assert (breaker.state, breaker.transitions, breaker.late) == ("closed", 0, 0)
    assert (breaker.successes, breaker.failures) == (storm.succeeded, storm.failed)
    assert breaker.ignored <= cancelled
    heard = breaker.successes + breaker.failures + breaker.ignored
    assert 0 <= retry.attempts - heard <= cancelled  # a retry cancelled during its wait has not come so far
    assert (storm.timeout.stats().timed_out, storm.limit.stats().waiting, storm.clock.waiting) == (0, 0, 0)
    storm.clock.advance(1)
    assert storm.limit.peek().remaining == 20
