"""One pipeline around every kind of function, and what it tells of itself."""

from __future__ import annotations

import asyncio
import functools
import gc
import pickle
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard import Custom, Pipeline


def everything(clock: ManualClock) -> Pipeline:
    """Every policy at once."""
    return Pipeline(
        sw.Fallback("fallback", clock=clock),
        sw.Retry(2, backoff=0.0, clock=clock),
        sw.CircuitBreaker("breaker", clock=clock),
        sw.TokenBucket(100, clock=clock),
        sw.Bulkhead(5, clock=clock),
        sw.Timeout(10, clock=clock),
        name="everything",
    )


class Callee:
    """Methods of every kind behind one pipeline."""

    guard = everything(ManualClock())

    @guard
    def plain(self, n: int) -> int:
        return n

    @guard
    async def later(self, n: int) -> int:
        await asyncio.sleep(0)
        return n

    @guard
    def items(self, n: int) -> Iterator[int]:
        yield from range(n)

    @guard
    async def items_later(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i


async def test_one_pipeline_guards_every_kind_of_function() -> None:
    """Plain, awaited, generated: all are counted by the same policies, and nothing stays held."""
    callee, guard = Callee(), Callee.guard
    assert callee.plain(1) == 1
    assert await callee.later(2) == 2
    assert list(callee.items(3)) == [0, 1, 2]
    assert [i async for i in callee.items_later(3)] == [0, 1, 2]
    assert guard["retry"].stats().attempts == 4
    assert guard["breaker"].stats().successes == 4
    assert guard["token_bucket"].stats().admitted == 4
    assert (guard["bulkhead"].stats().admitted, guard["bulkhead"].stats().in_flight) == (4, 0)


async def test_one_pipeline_serves_tasks_at_once() -> None:
    """Calls that overlap do not mix."""
    guard = everything(ManualClock())

    @guard
    async def echo(n: int) -> int:
        await asyncio.sleep(0)
        if n % 2:
            raise ConnectionError
        return n

    answers = await asyncio.gather(*(echo(n) for n in range(5)))
    assert answers == [0, "fallback", 2, "fallback", 4]
    assert guard["bulkhead"].stats().in_flight == 0


def test_statistics_are_a_snapshot_of_each_policy_outermost_first() -> None:
    """The names in order, and `stats` of a guarded function is that of its pipeline."""
    guard = everything(ManualClock())
    guarded = guard(lambda: 7)
    assert guarded() == 7
    stats = guarded.stats()
    assert stats == guard.stats()
    assert stats.name == "everything"
    assert [one.name for one in stats.policies] == [
        "fallback", "retry", "breaker", "token_bucket", "bulkhead", "timeout",
    ]  # fmt: skip


def test_a_pipeline_describes_itself() -> None:
    """A line for each policy, with settings and state."""
    clock = ManualClock()
    guard = Pipeline(sw.TokenBucket(10, burst=2, clock=clock), sw.Timeout(1.5, clock=clock), name="calls")
    guard.call(len, "abc")
    assert guard.describe() == (
        "calls:\n"
        "  1. <TokenBucket 'token_bucket': 10 per second, at most 2, 1 remaining>\n"
        "  2. <Timeout 'timeout': 1.5 s, 0 timed out>\n"
        "  callee"
    )
    assert repr(guard) == "<Pipeline 'calls': TokenBucket 'token_bucket' > Timeout 'timeout'>"
    assert [policy.name for policy in guard] == ["token_bucket", "timeout"]
    assert guard["timeout"] is guard.policies[1]
    with pytest.raises(KeyError) as caught:
        guard["bulkhead"]
    assert caught.value.args == ("pipeline calls has no policy 'bulkhead'; there is: token_bucket, timeout",)


@pytest.mark.parametrize("name", ["", "x" * 101, 7])
def test_a_name_is_checked(name: Any) -> None:
    """Like that of any policy."""
    with pytest.raises(ConfigError) as caught:
        Pipeline(Custom(Witness()), name=name)
    assert str(caught.value) == f"name must be a str of 1 to 100 bytes, got {name!r}"


def test_an_error_collects_each_note_once() -> None:
    """One that is raised again and again through the same pipeline has one note of it."""
    error = KeyError("x")

    def fail() -> None:
        raise error

    guard = Pipeline(Custom(Witness(), name="a"), Custom(Witness(), name="b"))
    for _ in range(3):
        with pytest.raises(KeyError):
            guard.call(fail)
    assert error.__notes__ == ["through Custom 'a' > Custom 'b'"]


def later_things() -> list[Any]:
    """Functions whose call runs nothing yet."""

    async def coroutine() -> None: ...

    def items() -> Iterator[int]:
        yield 1

    async def items_later() -> AsyncIterator[int]:
        yield 1

    return [coroutine, functools.partial(coroutine), Pipeline(Custom(Witness()))(coroutine), items, items_later]


@pytest.mark.parametrize("policy", [Pipeline(Custom(Witness())), Custom(Witness())])
async def test_what_would_only_be_created_is_not_called(policy: Any) -> None:
    """`call` refuses coroutine functions however they are wrapped, and generators; `call_async` refuses generators."""
    *coroutines, items, items_later = later_things()
    for fn in coroutines:
        with pytest.raises(ConfigError) as caught:
            policy.call(fn)
        assert str(caught.value) == f"{fn!r} is a coroutine function: await call_async(...) instead"
    for fn in (items, items_later):
        said = f"{fn!r} is a generator function: decorate it instead, and iterate over what it gives"
        with pytest.raises(ConfigError) as caught:
            policy.call(fn)
        assert str(caught.value) == said
        with pytest.raises(ConfigError) as caught:
            await policy.call_async(fn)
        assert str(caught.value) == said


async def test_a_callee_that_raises_instead_of_ending_gives_back_what_it_holds() -> None:
    """Closing a call whose callee fails while it cleans up: its error is raised, its policies see a cancellation."""
    heard: list[tuple[str, Any, str]] = []
    bulkhead = sw.Bulkhead(1)

    @Pipeline(Custom(Witness(heard, "outer")), bulkhead)
    async def wait() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            raise LookupError("while cleaning up")

    flight: Any = wait()
    flight.send(None)
    with pytest.raises(LookupError, match=r"^while cleaning up$"):
        flight.close()
    assert heard == [("outer", None, "GeneratorExit")]
    assert bulkhead.stats().in_flight == 0


async def test_cancelling_what_awaits_a_bare_iterator_is_a_cancellation() -> None:
    """An awaitable without `throw` cannot be told; the call ends as cancelled all the same, and no AttributeError."""
    heard: list[tuple[str, Any, str]] = []

    class Bare:
        def __await__(self) -> Iterator[Any]:
            return iter([None, None])

    def give() -> Bare:
        return Bare()

    task = asyncio.ensure_future(Custom(Witness(heard, "only")).call_async(give))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [("only", None, "CancelledError")]


class Never:
    """Awaited for ever."""

    def __await__(self) -> Iterator[Any]:
        while True:
            yield None


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_async_generator_thrown_away_gives_back_what_it_holds(
    stubborn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody closes it and no loop is there to do so, and perhaps it even waits while it is closed."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # "async generator ignored GeneratorExit"
    heard: list[tuple[str, Any, str]] = []
    bulkhead = sw.Bulkhead(1)

    @Pipeline(Custom(Witness(heard, "outer")), bulkhead)
    async def items() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            if stubborn:
                await Never()

    made: Any = items()
    step = made.__anext__()
    with pytest.raises(StopIteration):
        step.send(None)
    assert bulkhead.stats().in_flight == 1
    del made, step
    gc.collect()
    assert heard == [("outer", None, "GeneratorExit")]
    assert bulkhead.stats().in_flight == 0


def test_a_pipeline_of_shared_policies_pickles(segment_name: str) -> None:
    """It arrives with the same policies on the same segment; a private limit says why it cannot."""
    limit = sw.TokenBucket(5, per=60, shared=segment_name)
    there = pickle.loads(pickle.dumps(Pipeline(sw.Retry(3), limit, sw.Timeout(1), name="calls")))
    assert there.name == "calls"
    assert there.call(len, "ab") == 2
    assert limit.stats().admitted == 1
    with pytest.raises(TypeError, match=r"^TokenBucket 'token_bucket' cannot be pickled: a copy in another process"):
        pickle.dumps(Pipeline(sw.TokenBucket(1)))
