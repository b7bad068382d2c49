"""Plain callables as targets: threads of this process, in real time but short."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Answer, Closed, Constant, LoadResult, LoadTest


class Inside:
    """Counts calls, and how many were under way at once."""

    def __init__(self, work: Callable[[], object] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._work = work
        self.calls = self.now = self.most = 0

    def __call__(self) -> object:
        """One call."""
        with self._lock:
            self.calls += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self._work()
        finally:
            with self._lock:
                self.now -= 1


def adds_up(result: LoadResult) -> bool:
    """The promises between the counts."""
    return (
        result.planned == result.sent + result.dropped
        and result.completed == sum(result.outcomes.values()) == result.response_time.count
    )


def test_every_planned_call_is_made_once() -> None:
    """A fast callable gets exactly the plan, and the result accounts for each call."""
    target = Inside()
    result = LoadTest(target, Constant(1000), duration=0.3).run()
    assert (result.planned, result.sent, result.completed, target.calls) == (300, 300, 300, 300)
    assert result.outcomes == {"ok": 300}
    assert result.scenarios[0].engine == "callable in threads"
    assert adds_up(result)


def test_busy_threads_make_calls_late() -> None:
    """Six calls due together in two threads start in pairs: never more than two at once, and four of them late."""
    pause = threading.Event()
    target = Inside(lambda: pause.wait(0.05))
    result = LoadTest(target, Constant(6_000), duration=0.001, max_concurrency=2).run()
    assert (target.calls, target.most, result.late, result.dropped) == (6, 2, 4, 0)
    assert result.response_time.max >= 0.14
    assert adds_up(result)


def test_what_never_starts_is_dropped() -> None:
    """Calls that wait for a thread when the run and its grace are over are counted as dropped."""
    target = Inside(lambda: threading.Event().wait(0.3))
    result = LoadTest(target, Constant(100), duration=0.1, max_concurrency=2, grace=0).run()
    assert (result.planned, result.sent, result.dropped, result.completed) == (10, 2, 8, 2)
    assert adds_up(result)


def test_calls_that_hang_are_timeouts_and_do_not_hold_up_the_end() -> None:
    """A call that never returns counts once, as a timeout; its thread is a daemon and left to itself."""
    release = threading.Event()
    threads: list[threading.Thread] = []

    def hang() -> None:
        threads.append(threading.current_thread())
        release.wait(60)

    try:
        result = LoadTest(hang, Constant(100), duration=0.05, timeout=0.1).run()
        assert (result.sent, result.outcomes) == (5, {"timeout": 5})
        assert result.service_time.min >= 0.09
        assert result.duration < 4
        assert len(threads) == 5
        assert all(thread.daemon and thread.is_alive() for thread in threads)
    finally:
        release.set()
    for thread in threads:
        thread.join(30)
    assert result.outcomes == {"timeout": 5}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), "error ValueError"),
        (asyncio.CancelledError(), "error CancelledError"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "connection refused"),
    ],
)
def test_what_a_target_raises_is_what_became_of_the_call(error: BaseException, kind: str) -> None:
    """Whatever is raised is counted, and the run goes on."""

    def target() -> None:
        raise error

    result = LoadTest(target, Constant(100), duration=0.1).run()
    assert result.outcomes == {kind: 10}


def test_the_end_of_the_interpreter_ends_the_run() -> None:
    """SystemExit in a thread is not lost there."""

    def target() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        LoadTest(target, Constant(10), duration=3600).run()


def test_answers_and_checks() -> None:
    """An Answer is taken as it is; a check that says no is a wrong answer."""
    assert LoadTest(lambda: Answer("hit"), Constant(100), duration=0.05).run().outcomes == {"hit": 5}
    assert LoadTest(lambda: 1, Constant(100), duration=0.05, check=lambda n: n == 2).run().outcomes == {
        "wrong answer": 5
    }


class Book:
    """Notes in which threads states were made, used and left."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.left: list[int] = []
        self.strangers = 0

    @contextmanager
    def state(self) -> Iterator[int]:
        """The number of the thread that made it."""
        self.made.append(threading.get_ident())
        try:
            yield threading.get_ident()
        finally:
            self.left.append(threading.get_ident())

    def use(self, state: int) -> None:
        """A call that takes a moment."""
        self.strangers += state != threading.get_ident()
        threading.Event().wait(0.01)


def test_workers_live_in_their_own_threads() -> None:
    """Each thread makes, uses and leaves its own state, so that what must not change threads never does."""
    book = Book()
    result = LoadTest(book.use, Constant(300), duration=0.2, worker=book.state).run()
    assert result.outcomes == {"ok": 60}
    assert book.strangers == 0
    assert sorted(book.made) == sorted(book.left)
    assert len(set(book.made)) == len(book.made) >= 2


async def test_stop_leaves_workers_too() -> None:
    """A run of an hour that is stopped ends at once, with what was measured."""
    book, stop = Book(), asyncio.Event()
    test = LoadTest(book.use, Constant(100), duration=3600, worker=book.state)
    result = await test.run_async(lambda progress: stop.set() if progress.completed else None, stop=stop)
    assert result.interrupted
    assert result.duration < 600
    assert sorted(book.made) == sorted(book.left)
    assert adds_up(result)


def test_a_worker_that_cannot_be_made_ends_the_run_with_its_error() -> None:
    """What the worker raises is raised by the run, not lost in a thread."""

    def broken() -> None:
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError, match=r"^no database$"):
        LoadTest(lambda _state: None, Constant(10), duration=3600, worker=broken).run()


def test_a_worker_that_is_never_made_ends_the_run() -> None:
    """It may take as long as a call; then the run ends with words for it instead of hanging."""
    release = threading.Event()
    try:
        with pytest.raises(TimeoutError) as caught:
            LoadTest(
                lambda _state: None, Constant(10), duration=3600, worker=lambda: release.wait(60), timeout=0.1
            ).run()
    finally:
        release.set()
    assert str(caught.value) == (
        "the worker of a scenario was not made within the timeout of 0.1 s; make it faster or raise timeout"
    )


def test_a_worker_that_cannot_be_left_is_told() -> None:
    """The calls were measured by then, so the trouble is a note of the result."""

    @contextmanager
    def sticky() -> Iterator[None]:
        yield
        raise OSError("will not close")

    result = LoadTest(lambda _state: None, Constant(100), duration=0.05, worker=sticky).run()
    assert result.outcomes == {"ok": 5}
    assert result.notes[-1].name == "worker not left"
    assert result.notes[-1].text.startswith("OSError: will not close (")


def test_an_async_worker_of_a_plain_callable_is_refused() -> None:
    """There is no event loop in the thread that could make it."""

    @asynccontextmanager
    async def awaited() -> Iterator[None]:
        yield

    with pytest.raises(ConfigError) as caught:
        LoadTest(lambda _state: None, Constant(10), duration=3600, worker=awaited).run()
    assert str(caught.value) == (
        "the worker of a plain callable must be plain too, it gave a _AsyncGeneratorContextManager; "
        "make it a plain function, or the target an `async def`"
    )


async def _awaited() -> None: ...


def _yields() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(("made", "kind"), [(_awaited, "coroutine"), (_yields, "generator")])
def test_a_callable_whose_result_nothing_runs_is_told_what_to_do(made: Callable[[], object], kind: str) -> None:
    """A lambda around a coroutine function would be measured as very fast; the first call ends the run instead."""

    def target() -> object:
        return made()

    target.__qualname__ = "target"
    with pytest.raises(ConfigError) as caught:
        LoadTest(target, Constant(100), duration=3600).run()
    assert str(caught.value) == (
        f"target() must do its work when it is called, but it returned a {kind} that nothing runs; "
        "make it an `async def` without yield, or a plain function that waits for the answer"
    )


def test_the_closed_model_keeps_its_users() -> None:
    """Three users in threads are never more than three calls, and each asks again when answered."""
    target = Inside(lambda: threading.Event().wait(0.02))
    result = LoadTest(target, Closed(3), duration=0.3).run()
    assert (result.model, target.most) == ("closed", 3)
    assert 6 <= result.sent == target.calls == result.completed <= 3 * 16
    assert adds_up(result)


def test_thinking_users_do_not_hold_up_the_end() -> None:
    """A user who thinks for an hour asked once, and the run ends when it should."""
    target = Inside()
    result = LoadTest(target, Closed(2, think=3600), duration=0.1).run()
    assert (target.calls, result.completed, result.interrupted) == (2, 2, False)
    assert result.duration < 4
