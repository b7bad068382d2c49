"""Coroutine functions as targets, on a clock of the test's own: runs of minutes take no time and are exact."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.measure.load import Answer, Constant, LoadResult, LoadTest, Scenario
from seawall.testing import run


def on_clock(test: LoadTest, stop: asyncio.Event | None = None) -> LoadResult:
    """The result of a run on a clock that jumps."""
    return run(test.run_async(stop=stop))


def test_each_call_is_counted_with_its_exact_time() -> None:
    """A minute of a thousand calls of 50 ms each is a thousand times 50 ms."""

    async def target() -> None:
        await asyncio.sleep(0.05)

    result = on_clock(LoadTest(target, Constant(1000 / 60), duration=60))
    assert (result.planned, result.sent, result.completed, result.late) == (1000, 1000, 1000, 0)
    assert result.outcomes == {"ok": 1000}
    assert result.service_time.min == pytest.approx(0.05, rel=1e-3)
    assert result.response_time.max == pytest.approx(0.05, rel=1e-3)
    assert result.scenarios[0].engine == "async callable"
    assert result.verdict.valid


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ValueError("no"), "error ValueError", "no"),
        (KeyError(), "error KeyError", "KeyError"),
        (TimeoutError(), "timeout", "TimeoutError"),
        (ConnectionResetError("gone"), "reset", "gone"),
        (FileNotFoundError(2, "none"), "error FileNotFoundError", "[Errno 2] none"),
        (GeneratorExit(), "error GeneratorExit", "GeneratorExit"),
        (asyncio.CancelledError(), "error CancelledError", "CancelledError"),
        (StopAsyncIteration("end"), "error StopAsyncIteration", "end"),
        (sw.RateLimited("full", retry_after=1.0), "error RateLimited", "full"),
        (ExceptionGroup("some", [ValueError()]), "error ExceptionGroup", "some (1 sub-exception)"),
    ],
)
def test_what_a_target_raises_is_what_became_of_the_call(error: BaseException, kind: str, words: str) -> None:
    """Whatever is raised, also a cancellation of the target's own, is counted, and the run goes on."""

    async def target() -> None:
        raise error

    result = on_clock(LoadTest(target, Constant(10), duration=1))
    assert result.outcomes == {kind: 10}
    assert (result.sent, result.completed, result.succeeded, result.interrupted) == (10, 10, 0, False)
    assert result.errors == {kind: words}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_the_end_of_the_interpreter_is_not_an_outcome(error: BaseException) -> None:
    """SystemExit and KeyboardInterrupt end the run and are raised by it."""

    async def target() -> None:
        raise error

    test = LoadTest(target, Constant(10), duration=1)
    with pytest.raises(type(error)):
        on_clock(test)


def test_a_timeout_cuts_the_call_at_that_moment() -> None:
    """A call that would take an hour counts as a timeout of just the timeout's length."""
    ended: list[str] = []

    async def target() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cut")

    result = on_clock(LoadTest(target, Constant(10), duration=1, timeout=0.25))
    assert result.outcomes == {"timeout": 10}
    assert ended == ["cut"] * 10
    assert result.service_time.min == pytest.approx(0.25, rel=1e-2)
    assert result.service_time.max == pytest.approx(0.25, rel=1e-2)
    assert result.duration == pytest.approx(0.95 + 0.25, abs=0.01)


def test_what_swallows_its_cancellation_is_a_timeout_all_the_same() -> None:
    """A target that goes on after the timeout is counted once, at the timeout, whatever it returns in the end."""

    async def target() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue

    result = on_clock(LoadTest(target, Constant(10), duration=1, timeout=0.5))
    assert (result.outcomes, result.completed) == ({"timeout": 10}, 10)


def test_what_never_heeds_its_cancellation_does_not_hold_up_the_end() -> None:
    """Its place stays taken, but the run ends after the last timeout and breaks the call off."""
    broken_off = 0

    async def target() -> None:
        nonlocal broken_off
        try:
            while True:
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    continue
        finally:
            broken_off += 1

    result = on_clock(LoadTest(target, Constant(10), duration=1, timeout=0.5, max_concurrency=4, grace=0))
    assert (result.sent, result.dropped, result.outcomes) == (4, 6, {"timeout": 4})
    assert broken_off == 4
    assert result.duration < 2


def test_calls_never_exceed_the_bound_and_late_ones_are_told() -> None:
    """Ten calls of a second due together through two places take five seconds; eight of them are late."""
    inside = most = 0

    async def target() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(1)
        inside -= 1

    result = on_clock(LoadTest(target, Constant(1000), duration=0.01, max_concurrency=2))
    assert (most, result.late, result.dropped) == (2, 8, 0)
    assert result.duration == pytest.approx(5, abs=0.01)
    assert result.response_time.max == pytest.approx(5, rel=0.01)


class Book:
    """Notes what was made and left."""

    def __init__(self) -> None:
        self.made = self.left = 0
        self.used: Counter[int] = Counter()

    @contextmanager
    def plain(self) -> Iterator[int]:
        """A place's state as a context manager."""
        self.made += 1
        try:
            yield self.made
        finally:
            self.left += 1

    @asynccontextmanager
    async def awaited(self) -> AsyncIterator[int]:
        """The same, asynchronous on both ways."""
        await asyncio.sleep(0.01)
        with self.plain() as number:
            yield number
        await asyncio.sleep(0.01)

    async def made_by_a_coroutine(self) -> asynccontextmanager:  # type: ignore[valid-type]
        """A coroutine function that gives a context manager."""
        return self.awaited()

    async def use(self, number: int) -> None:
        """A call with a state."""
        self.used[number] += 1
        await asyncio.sleep(0.15)


@pytest.mark.parametrize("how", ["plain", "awaited", "made_by_a_coroutine"])
def test_workers_are_entered_once_a_place_and_left_at_the_end(how: str) -> None:
    """Calls of 150 ms, ten a second, need two places; each is made when it is first needed and left once."""
    book = Book()
    result = on_clock(LoadTest(book.use, Constant(10), duration=3, worker=getattr(book, how)))
    assert result.outcomes == {"ok": 30}
    assert (book.made, book.left) == (2, 2)
    assert sum(book.used.values()) == 30
    assert result.late == 2


def test_a_worker_may_be_a_plain_function() -> None:
    """What it gives is the state; nothing has to be left."""
    states: set[str] = set()

    async def target(state: str) -> None:
        states.add(state)

    assert on_clock(LoadTest(target, Constant(10), duration=1, worker=lambda: "connected")).outcomes == {"ok": 10}
    assert states == {"connected"}


@pytest.mark.parametrize("how", ["plain", "awaited"])
def test_workers_are_left_when_a_run_is_stopped_or_cancelled(how: str) -> None:
    """Setting stop, and cancelling, leaves every place that was made."""

    async def stopped(*, cancelled: bool) -> None:
        book, stop = Book(), asyncio.Event()
        test = LoadTest(book.use, Constant(10), duration=3600, worker=getattr(book, how))
        task = asyncio.create_task(test.run_async(stop=stop))
        await asyncio.sleep(1)
        if cancelled:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            stop.set()
            assert (await task).interrupted
        assert book.made == book.left > 0

    run(stopped(cancelled=False))
    run(stopped(cancelled=True))


def test_a_worker_that_cannot_be_made_ends_the_run_with_its_error() -> None:
    """The error is raised as it is, and the places made before are left."""
    book = Book()

    @asynccontextmanager
    async def second_fails() -> AsyncIterator[int]:
        if book.made:
            raise ConnectionError("no more connections")
        async with book.awaited() as number:
            yield number

    with pytest.raises(ConnectionError, match=r"^no more connections$"):
        on_clock(LoadTest(book.use, Constant(10), duration=3600, worker=second_fails))
    assert (book.made, book.left) == (1, 1)


def test_a_worker_that_is_never_made_ends_the_run() -> None:
    """It may take as long as a call, then the run ends with words for it instead of hanging."""

    async def target(state: None) -> None: ...

    async def hanging() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        on_clock(LoadTest(target, Constant(10), duration=3600, worker=hanging, timeout=2))
    assert str(caught.value) == (
        "the worker of a scenario was not made within the timeout of 2 s; make it faster or raise timeout"
    )


def test_a_worker_that_cannot_be_left_is_told_and_takes_no_result() -> None:
    """The calls were measured by then, so the trouble is a note of the result."""

    @asynccontextmanager
    async def sticky() -> AsyncIterator[None]:
        yield
        raise OSError("will not close")

    async def target(state: None) -> None: ...

    result = on_clock(LoadTest(target, Constant(10), duration=1, worker=sticky))
    assert result.outcomes == {"ok": 10}
    assert [(note.name, note.text) for note in result.notes] == [
        ("worker not left", "OSError: will not close (1 of the workers)")
    ]


def test_answers_and_checks_decide_what_a_call_was() -> None:
    """An Answer is taken as it is; a check that says no is a wrong answer, one that raises is its error."""
    numbers = iter(range(100))

    async def target() -> object:
        n = next(numbers)
        return Answer("cache hit", size=7) if n % 2 else n

    assert on_clock(LoadTest(target, Constant(10), duration=1)).outcomes == {"ok": 5, "cache hit": 5}

    async def number() -> int:
        return next(numbers) % 4

    result = on_clock(LoadTest(number, Constant(8), duration=1, check=lambda n: 6 / n > 2))
    assert result.outcomes == {"ok": 4, "wrong answer": 2, "error ZeroDivisionError": 2} or (
        sum(result.outcomes.values()) == 8 and result.outcomes["error ZeroDivisionError"] == 2
    )
    assert result.errors["wrong answer"] == "the check of the scenario said no"


def test_bytes_of_answers_are_added_up() -> None:
    """The size that an Answer tells is part of the throughput."""

    async def target() -> Answer:
        return Answer(size=100)

    assert sum(on_clock(LoadTest(target, Constant(10), duration=1)).throughput.bytes) == 1000


def test_refusals_of_a_guard_are_outcomes_by_name() -> None:
    """A guarded coroutine function is called as one, and what its guard refuses is counted as such."""
    clock = ManualClock()
    limit = sw.TokenBucket(10, burst=1, clock=clock)

    @sw.Timeout(1.0, clock=clock)
    async def target() -> None:
        await limit.acquire_async(timeout=0)

    result = run(LoadTest(target, Constant(20), duration=2).run_async(), clock)
    assert result.scenarios[0].engine == "async callable"
    assert result.outcomes["ok"] in (20, 21)
    assert result.outcomes["error RateLimited"] == 40 - result.outcomes["ok"]


def test_a_pipeline_is_a_target() -> None:
    """What a pipeline of policies gives is awaited like any coroutine function."""
    clock = ManualClock()
    calls = 0

    @sw.Pipeline(sw.Retry(2, backoff=0.1, jitter="none", clock=clock), sw.Timeout(1.0, clock=clock))
    async def target() -> None:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise ConnectionResetError("flaky")

    result = run(LoadTest(target, Constant(5), duration=2).run_async(), clock)
    assert result.outcomes == {"ok": 10}
    assert calls == 20


def test_a_target_that_cannot_take_its_arguments_is_refused_at_once() -> None:
    """A hundred thousand TypeErrors would say the same later."""

    async def alone() -> None: ...

    with pytest.raises(ConfigError) as caught:
        Scenario("main", alone, feed=[1])
    assert str(caught.value).startswith("target must take a row of its feed, got ")
    assert str(caught.value).endswith("alone() with () -> 'None': too many positional arguments")

    async def two(state: int, row: int) -> None: ...

    with pytest.raises(ConfigError) as caught:
        Scenario("main", two, feed=[1])
    assert str(caught.value).endswith("missing a required argument: 'row'")
    Scenario("main", two, feed=[1], worker=int)


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
async def test_two_hundred_thousand_a_second_and_none_at_all_are_rates_like_others(arrivals: str) -> None:
    """However far behind the generator falls, what was planned is sent in the end or counted as dropped."""

    async def nothing() -> None:
        pass

    pattern = Constant(200_000).then(Constant(0), after=0.1)
    result = await LoadTest(nothing, pattern, duration=0.2, arrivals=arrivals, seed=1, grace=30).run_async()  # type: ignore[arg-type]
    assert result.planned == result.sent == result.completed
    assert result.planned == 20_000 if arrivals == "uniform" else abs(result.planned - 20_000) < 1_000
    assert result.outcomes == {"ok": result.planned}
    assert result.dropped == 0
