"""Laws of waits: bounds, repeatability, and the time that may be spent."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import seawall as sw
from seawall.clock import Deadline, ManualClock
from seawall.guard.retry import (
    Backoff,
    Constant,
    Decorrelated,
    EqualJitter,
    Exponential,
    Fibonacci,
    FullJitter,
    Linear,
)
from seawall.guard.retry._machine import Rules, Situation, next_wait

starts = st.floats(1e-6, 10)
caps = st.floats(10, 1000)
backoffs: st.SearchStrategy[Any] = st.one_of(
    st.builds(Constant, st.floats(0, 1000)),
    st.builds(Linear, starts, st.floats(0, 100), caps),
    st.builds(Exponential, starts, st.floats(1, 100), caps),
    st.builds(Fibonacci, starts, caps),
    st.builds(Decorrelated, starts, caps),
)
jitters = st.sampled_from(["full", "equal", "none"])
seeds = st.integers(0, 2**32)


def cap_of(backoff: Any) -> int:
    """The longest wait a backoff may ask for, in nanoseconds."""
    return round((backoff.seconds if isinstance(backoff, Constant) else backoff.cap) * 1e9)


@given(backoffs, st.integers(1, 1000), st.integers(0, 10**12), seeds)
def test_a_backoff_stays_between_nothing_and_its_cap(backoff: Any, attempt: int, previous: int, seed: int) -> None:
    """Whatever the attempt, a wait is a whole number from 0 to the cap."""
    wait = backoff.wait(attempt, previous, random.Random(seed))
    assert type(wait) is int
    assert 0 <= wait <= cap_of(backoff)


@given(backoffs.filter(lambda backoff: not isinstance(backoff, Decorrelated)), st.integers(1, 200))
def test_a_backoff_without_chance_never_shrinks(backoff: Any, attempt: int) -> None:
    """Each wait is at least as long as the one before."""
    rng = random.Random(0)
    assert backoff.wait(attempt, 0, rng) <= backoff.wait(attempt + 1, 0, rng)


@given(st.integers(0, 10**15), seeds)
def test_jitter_only_takes(wait: int, seed: int) -> None:
    """Full jitter is 0 to the wait, equal jitter half of it to all of it."""
    assert 0 <= FullJitter().spread(wait, random.Random(seed)) <= wait
    assert wait / 2 <= EqualJitter().spread(wait, random.Random(seed)) <= wait


@given(
    backoffs,
    st.sampled_from([FullJitter(), EqualJitter()]),
    st.none() | st.floats(0, 300),
    st.none() | st.floats(0, 1000),
    st.none() | st.floats(0.001, 1000),
    st.integers(0, 10**12),
    seeds,
)
def test_a_wait_covers_what_was_asked_and_fits_into_what_is_left(  # noqa: PLR0917 -- one law of all of them
    backoff: Backoff,
    jitter: Any,
    asked: float | None,
    left: float | None,
    max_time: float | None,
    elapsed: int,
    seed: int,
) -> None:
    """Either there is no next attempt, or it begins after what the callee asked for and before time is up."""
    rules = Rules(5, backoff, jitter, max_time, 300)
    wait = next_wait(rules, Situation(1, 0, elapsed, asked, left), random.Random(seed))
    if isinstance(wait, str):
        assert wait
        return
    assert wait >= round((asked or 0) * 1e9)
    assert wait <= max(cap_of(backoff), round((asked or 0) * 1.2e9) + 1)
    assert left is None or wait / 1e9 < left
    assert max_time is None or (elapsed + wait) / 1e9 < max_time


def history(seed: int, backoff: Any, jitter: Any, attempts: int, seconds: float | None) -> list[float]:
    """When the attempts of one call were made that always fails, under a deadline."""
    clock, times = ManualClock(autojump=True), []
    policy = sw.Retry(attempts, backoff=backoff, jitter=jitter, seed=seed, clock=clock, max_time=seconds)

    def callee() -> None:
        times.append(clock.time())
        raise TimeoutError

    try:
        with Deadline(1e6 if seconds is None else seconds, clock=clock):
            policy.call(callee)
    except TimeoutError:
        times.append(clock.time())
    return times


@given(seeds, backoffs, jitters, st.integers(1, 20))
def test_a_seed_repeats_every_wait(seed: int, backoff: Any, jitter: Any, attempts: int) -> None:
    """Two retries with one seed wait alike to the nanosecond."""
    first = history(seed, backoff, jitter, attempts, None)
    assert first == history(seed, backoff, jitter, attempts, None)
    assert len(first) == attempts + 1


@given(seeds, backoffs, jitters, st.integers(1, 30), st.floats(0.01, 100))
def test_nobody_sleeps_past_the_end_of_time(
    seed: int, backoff: Any, jitter: Any, attempts: int, seconds: float
) -> None:
    """Every attempt begins, and the call ends, before the deadline and max_time."""
    times = history(seed, backoff, jitter, attempts, seconds)
    assert times[0] == 0
    assert all(time < seconds for time in times)
    assert len(times) <= attempts + 1
