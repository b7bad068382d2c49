"""Failures seen in other libraries that seawall must not have."""

from __future__ import annotations

import asyncio
import threading

import pytest

import seawall as sw
from seawall.clock import ManualClock


async def test_tenacity_one_retry_shared_by_four_tasks_keeps_their_attempts_apart() -> None:
    """Four tasks behind one object: each has its own three attempts."""
    policy = sw.Retry(3, jitter="none", clock=ManualClock(autojump=True))
    attempts: dict[str, int] = {}

    @policy
    async def ask(who: str) -> None:
        attempts[who] = attempts.get(who, 0) + 1
        await asyncio.sleep(0)
        raise TimeoutError(who)

    ends = await asyncio.gather(*(ask(who) for who in "abcd"), return_exceptions=True)
    assert attempts == dict.fromkeys("abcd", 3)
    assert [str(end) for end in ends] == ["a", "b", "c", "d"]
    assert {end.__notes__[0] for end in ends if isinstance(end, TimeoutError)} == {
        f"retry gave up after 3 attempts in 0.3 s; before: TimeoutError: {who}, TimeoutError: {who}" for who in "abcd"
    }


def test_one_retry_shared_by_threads_keeps_their_attempts_apart() -> None:
    """The same for threads that are inside at the same time."""
    policy = sw.Retry(3, backoff=0)
    together, attempts = threading.Barrier(4), dict.fromkeys("abcd", 0)

    @policy
    def ask(who: str) -> None:
        attempts[who] += 1
        together.wait(timeout=10)
        raise TimeoutError(who)

    def run(who: str) -> None:
        with pytest.raises(TimeoutError):
            ask(who)

    threads = [threading.Thread(target=run, args=(who,)) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert attempts == dict.fromkeys("abcd", 3)
    assert policy.stats().attempts == 12


def test_a_recursive_call_through_one_retry_stands_back_and_keeps_its_own_count() -> None:
    """A function that calls itself behind its retry does not mix the levels."""
    calls: list[int] = []

    @sw.Retry(3, backoff=0)
    def recurse(depth: int) -> None:
        calls.append(depth)
        if depth:
            recurse(depth - 1)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        recurse(2)
    assert calls == [2, 1, 0] * 3


async def test_a_coroutine_function_counts_its_failures() -> None:
    """A policy on `async def` sees how the await ended, not that a coroutine was returned."""
    policy = sw.Retry(2, backoff=0)

    @policy
    async def ask() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await ask()
    assert policy.stats().gave_up == 1
