"""How often a call is made, and what comes of it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import traceback

import pytest

import seawall as sw
from seawall.clock import Deadline, ManualClock
from seawall.guard.retry import RetryStats


class Service:
    """Fails in the given ways, then answers "fine"."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        """Fail, or answer."""
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "fine"

    async def ask(self) -> str:
        """The same, awaited."""
        return self()


def retry(attempts: int = 3, **options: object) -> sw.Retry:
    """A retry that waits in no time."""
    options = {"jitter": "none", "clock": ManualClock(autojump=True), **options}
    return sw.Retry(attempts, **options)  # type: ignore[arg-type]


def test_a_call_that_succeeds_is_made_once() -> None:
    """Without a failure a retry is not noticed."""
    policy, service = retry(), Service()
    assert policy.call(service) == "fine"
    assert service.calls == 1
    assert policy.stats() == RetryStats("retry", 1, 1, 0, 0, 0, 0, 0, False, 0)


def test_a_call_that_fails_twice_succeeds_at_the_third_attempt_after_both_waits() -> None:
    """Attempts go on after growing waits until one succeeds."""
    clock = ManualClock(autojump=True)
    policy, service = retry(clock=clock), Service(TimeoutError(), ConnectionError())
    assert policy.call(service) == "fine"
    assert service.calls == 3
    assert clock.time() == 0.3
    assert policy.stats() == RetryStats("retry", 1, 3, 2, 1, 0, 0, 0, False, 0)


async def test_a_coroutine_function_is_retried_like_a_function() -> None:
    """Sync and async share every decision."""
    clock = ManualClock(autojump=True)
    policy, service = retry(clock=clock), Service(TimeoutError(), ConnectionError())
    assert await policy.call_async(service.ask) == "fine"
    assert (service.calls, clock.time()) == (3, 0.3)
    assert policy.stats() == RetryStats("retry", 1, 3, 2, 1, 0, 0, 0, False, 0)


def test_the_last_error_is_raised_as_it_is_with_its_traceback_and_a_note() -> None:
    """Who calls sees the very object that the callee raised, and the place where it did."""
    last = ConnectionError("third")
    policy, service = retry(), Service(TimeoutError("first"), ConnectionError("second\nline"), last)
    with pytest.raises(ConnectionError) as caught:
        policy.call(service)
    assert caught.value is last
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert traceback.extract_tb(last.__traceback__)[-1].name == "__call__"
    assert last.__notes__ == [
        "retry gave up after 3 attempts in 0.3 s; before: TimeoutError: first, ConnectionError: second line"
    ]


def test_the_note_lists_only_the_last_failures_and_shortens_long_ones() -> None:
    """However many attempts and however long their errors, the note stays readable."""
    last = TimeoutError()
    policy = retry(6, name="fetch", backoff=0)
    with pytest.raises(TimeoutError):
        policy.call(Service(*(TimeoutError("x" * 500) for _ in range(5)), last))
    shortened = "TimeoutError: " + "x" * 83 + "..."
    assert last.__notes__ == [
        f"fetch gave up after 6 attempts in 0 s; before: {shortened}, {shortened}, {shortened} and 2 more"
    ]


def test_an_error_that_is_raised_again_and_again_collects_only_a_few_notes() -> None:
    """A callee that raises one object for ever does not grow it for ever."""
    error, policy = TimeoutError(), retry(1)
    for _ in range(50):
        with pytest.raises(TimeoutError):
            policy.call(Service(error))
    assert error.__notes__ == ["retry gave up after 1 attempt in 0 s"] * 8


def test_an_error_whose_text_cannot_be_shown_costs_no_attempt() -> None:
    """A broken __str__ is not the callee's answer."""

    class Broken(ConnectionError):
        def __str__(self) -> str:
            raise RuntimeError("broken")

    last = TimeoutError()
    with pytest.raises(TimeoutError):
        retry(2).call(Service(Broken(), last))
    assert last.__notes__ == ["retry gave up after 2 attempts in 0.1 s; before: Broken whose text cannot be shown"]


@pytest.mark.parametrize("error", [TypeError("bug"), ValueError("invalid"), PermissionError("denied"), OSError("?")])
def test_by_default_only_errors_worth_it_are_retried(error: Exception) -> None:
    """Bugs, bad input, missing rights and the unknown go through at once, without a note."""
    policy, service = retry(), Service(error)
    with pytest.raises(type(error)) as caught:
        policy.call(service)
    assert service.calls == 1
    assert not hasattr(caught.value, "__notes__")
    assert policy.stats() == RetryStats("retry", 1, 1, 0, 0, 0, 0, 0, False, 0)


def test_an_error_not_worth_it_after_one_that_was_ends_the_call_and_says_so() -> None:
    """The second attempt's own error is the answer."""
    last = ValueError("invalid")
    policy, service = retry(), Service(TimeoutError(), last)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the object itself is compared
        policy.call(service)
    assert caught.value is last
    assert last.__notes__ == [
        "retry gave up after 2 attempts in 0.1 s: this error is not retried; before: TimeoutError"
    ]
    assert (policy.stats().gave_up, policy.stats().recovered) == (1, 0)


@pytest.mark.parametrize(
    ("on", "calls"),
    [
        (KeyError, 2),
        (LookupError, 2),
        ((TimeoutError, KeyError), 2),
        (TimeoutError, 1),
        (lambda error: error.args == ("k",), 2),
        (lambda error: error.args == ("other",), 1),
    ],
)
def test_on_says_which_errors_are_retried(on: object, calls: int) -> None:
    """Classes with their subclasses, tuples of them, and predicates."""
    service = Service(KeyError("k"))
    with contextlib.suppress(KeyError):
        retry(on=on).call(service)
    assert service.calls == calls


def test_a_predicate_that_fails_ends_the_call_with_its_own_error() -> None:
    """A broken predicate is seen, not taken for an answer."""

    def broken(_: Exception) -> bool:
        raise RuntimeError("broken predicate")

    service = Service(TimeoutError())
    with pytest.raises(RuntimeError, match=r"^broken predicate$"):
        retry(on=broken).call(service)
    assert service.calls == 1


def test_results_can_be_retried_and_the_last_one_is_returned() -> None:
    """A result that is not good enough is asked for again; there is nothing to raise when it stays so."""
    answers = iter([503, 503, 200, 503, 503, 503])
    policy = retry(on_result=lambda status: status >= 500)
    assert [policy.call(lambda: next(answers)) for _ in range(2)] == [200, 503]
    stats = policy.stats()
    assert (stats.calls, stats.attempts, stats.recovered, stats.gave_up) == (2, 6, 1, 1)


def test_earlier_results_are_listed_in_short() -> None:
    """A large result is not spelled out in a note."""
    answers, last = [list(range(10_000))], TimeoutError()

    def callee() -> list[int]:
        if answers:
            return answers.pop()
        raise last

    with pytest.raises(TimeoutError):
        retry(2, on_result=bool).call(callee)
    assert last.__notes__ == ["retry gave up after 2 attempts in 0.1 s; before: result [0, 1, 2, 3, 4, 5, ...]"]


def test_attempts_end_with_max_time() -> None:
    """No attempt begins later than max_time after the first; a wait that would last too long is not begun."""
    clock, last = ManualClock(autojump=True), TimeoutError()
    service = Service(TimeoutError(), TimeoutError(), last)
    with pytest.raises(TimeoutError):
        retry(10, backoff=0.4, max_time=1.2, clock=clock).call(service)
    assert (service.calls, clock.time()) == (3, 0.8)
    assert last.__notes__ == [
        "retry gave up after 3 attempts in 0.8 s: a wait of 0.4 s would outlast max_time=1.2; "
        "before: TimeoutError, TimeoutError"
    ]


def test_attempts_end_with_the_deadline_at_once() -> None:
    """A wait that the deadline in context cannot cover is refused before it begins."""
    clock, last = ManualClock(autojump=True), TimeoutError()
    service = Service(TimeoutError(), last)
    with Deadline(0.25, clock=clock), pytest.raises(TimeoutError):
        retry(clock=clock).call(service)
    assert (service.calls, clock.time()) == (2, 0.1)
    assert last.__notes__ == [
        "retry gave up after 2 attempts in 0.1 s: a wait of 0.2 s would outlast the deadline, which leaves 0.15 s; "
        "before: TimeoutError"
    ]


async def test_the_deadline_of_a_task_is_its_own() -> None:
    """Two tasks of one retry, one with a deadline: only that one is cut short."""
    clock = ManualClock(autojump=True)
    policy, hurried, patient = retry(clock=clock), Service(TimeoutError()), Service(TimeoutError())

    async def hurry() -> str:
        with Deadline(0.05, clock=clock):
            return await policy.call_async(hurried.ask)

    answers = await asyncio.gather(hurry(), policy.call_async(patient.ask), return_exceptions=True)
    assert isinstance(answers[0], TimeoutError)
    assert answers[1] == "fine"
    assert (hurried.calls, patient.calls) == (1, 2)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_cancellation_is_never_retried(kind: type[BaseException]) -> None:
    """Whoever gives up a call is not asked again, whatever `on` says."""
    service = Service(kind())
    with pytest.raises(kind):
        retry(on=lambda _: True).call(service)
    assert service.calls == 1


def test_a_cancelled_future_is_never_retried_though_it_is_an_exception() -> None:
    """concurrent.futures.CancelledError derives from Exception and is a cancellation."""
    service = Service(concurrent.futures.CancelledError())
    with pytest.raises(concurrent.futures.CancelledError):
        retry(on=Exception).call(service)
    assert service.calls == 1


def test_a_shadow_retry_counts_and_makes_no_attempt() -> None:
    """Shadow shows what a retry would do."""
    policy, service = retry(shadow=True), Service(TimeoutError("once"))
    with pytest.raises(TimeoutError) as caught:
        policy.call(service)
    assert not hasattr(caught.value, "__notes__")
    assert service.calls == 1
    assert policy.stats() == RetryStats("retry", 1, 1, 0, 0, 0, 0, 0, True, 1)


def test_enforce_is_the_share_of_retries_that_are_made() -> None:
    """A retry is introduced for a quarter of the failures, evenly spread."""
    policy = retry(2, enforce=0.25)
    services = [Service(TimeoutError()) for _ in range(100)]
    for service in services:
        with contextlib.suppress(TimeoutError):
            policy.call(service)
    assert sum(service.calls - 1 for service in services) == 25
    assert policy.stats().not_made == 75


def test_a_retry_says_what_it_is() -> None:
    """The repr names settings and state."""
    policy = retry(name="fetch")
    policy.call(Service(TimeoutError()))
    assert repr(policy) == (
        "<Retry 'fetch': 3 attempts, Exponential(start=0.1, factor=2.0, cap=10.0), NoJitter(); 1 calls, 1 retries>"
    )
