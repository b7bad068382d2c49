"""Recovery: each strategy alone, chained, sync and async."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from seawall.errors import Advice, ConfigError, Kind
from seawall.errors.recovery import (
    ByAdvice,
    Chain,
    Escalate,
    Fallback,
    Ignore,
    Recovered,
    Recovery,
    Restart,
    Retry,
    RetryOnce,
)


class Service:
    """Answers as scripted, and counts its calls."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0

    def call(self) -> Any:
        self.calls += 1
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def call_async(self) -> Any:
        await asyncio.sleep(0)
        return self.call()


def never() -> Any:
    """A call that must not be made."""
    raise AssertionError("called")


def test_a_retry_calls_until_it_succeeds() -> None:
    """At most so many times."""
    service = Service(ConnectionResetError(), TimeoutError(), "answer")
    assert Retry(3).recover(TimeoutError(), service.call) == Recovered("answer", "Retry")
    assert service.calls == 3


def test_a_retry_gives_up_with_the_last_error() -> None:
    """The caller sees what happened last."""
    last = TimeoutError("last")
    service = Service(ConnectionResetError(), last)
    with pytest.raises(TimeoutError) as caught:
        Retry(2).recover(TimeoutError("first"), service.call)
    assert caught.value is last


def test_what_is_not_retryable_is_not_retried() -> None:
    """Neither at first nor when it comes of a retry."""
    error = TypeError("bug")
    with pytest.raises(TypeError) as caught:
        Retry(3).recover(error, never)
    assert caught.value is error
    service = Service(TypeError("new"))
    with pytest.raises(TypeError, match=r"^new$"):
        Retry(3).recover(TimeoutError(), service.call)
    assert service.calls == 1


def test_kinds_can_be_chosen() -> None:
    """`when` goes before what is usual: also a bug is retried when somebody wants that."""
    assert RetryOnce(when=Kind.bug).recover(TypeError(), Service(1).call) == Recovered(1, "RetryOnce")
    with pytest.raises(TimeoutError):
        RetryOnce(when=[Kind.bug, Kind.invalid]).recover(TimeoutError(), never)


def test_a_fallback_is_a_value_or_a_function_of_the_error() -> None:
    """None is a value too."""
    assert Fallback(None).recover(KeyError("a"), never) == Recovered(None, "Fallback")
    assert Fallback(str).recover(ValueError("no"), never) == Recovered("no", "Fallback")


def test_a_restart_goes_before_the_call() -> None:
    """Once each."""
    done: list[str] = []
    recovered = Restart(lambda: done.append("restart")).recover(MemoryError(), lambda: done.append("call") or "up")
    assert (done, recovered) == (["restart", "call"], Recovered("up", "Restart"))


def test_a_restart_that_fails_ends_with_its_error() -> None:
    """The call is not made then."""
    with pytest.raises(OSError, match=r"^no$"):
        Restart(Service(OSError("no")).call).recover(MemoryError(), never)


def test_an_escalation_tells_and_raises() -> None:
    """The same error goes on."""
    told: list[BaseException] = []
    error = ValueError("no")
    with pytest.raises(ValueError, match=r"^no$") as caught:
        Escalate(told.append).recover(error, never)
    assert told == [error]
    assert caught.value is error


def test_to_ignore_is_none() -> None:
    """The caller goes on with nothing."""
    assert Ignore().recover(ValueError(), never) == Recovered(None, "Ignore")


def test_a_chain_goes_on_with_the_newest_error() -> None:
    """Retry, else escalate, else fall back: each hears what the one before ended with."""
    told: list[BaseException] = []
    newest = TypeError("newest")
    plan = RetryOnce() | Escalate(told.append) | Fallback(lambda error: f"instead of {error}")
    assert plan.recover(TimeoutError(), Service(newest).call) == Recovered("instead of newest", "Fallback")
    assert told == [newest]


def test_a_chain_without_success_ends_with_the_last_error() -> None:
    """Nothing is swallowed."""
    error = KeyError("a")
    with pytest.raises(KeyError) as caught:
        (RetryOnce() | Fallback(1, when=Kind.timeout)).recover(error, never)
    assert caught.value is error


def test_chains_are_flat() -> None:
    """Grouping makes no difference."""
    a, b, c = RetryOnce(), Ignore(), Fallback(1)
    assert ((a | b) | c).recoveries == (a | (b | c)).recoveries == (a, b, c)
    assert repr(a | Retry(2) | b | c) == "RetryOnce() | Retry(2) | Ignore() | Fallback(1)"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_cancellation_is_never_recovered(error: BaseException) -> None:
    """Not by a fallback and not by a chain."""
    for plan in (Fallback(1), Ignore() | Fallback(1), ByAdvice({Advice.ignore: Ignore()})):
        with pytest.raises(type(error)):
            plan.recover(error, never)


def test_a_cancellation_during_a_recovery_ends_it() -> None:
    """The next in the chain is not asked."""
    with pytest.raises(KeyboardInterrupt):
        (RetryOnce() | Fallback(1)).recover(TimeoutError(), Service(KeyboardInterrupt()).call)


def test_advice_chooses() -> None:
    """By the classification of the error; without a recovery for it the error is raised."""
    plan = ByAdvice({Advice.retry: RetryOnce(), Advice.fix: Fallback("default")})
    assert plan.recover(TimeoutError(), Service(1).call) == Recovered(1, "RetryOnce")
    assert plan.recover(ValueError(), never) == Recovered("default", "Fallback")
    with pytest.raises(PermissionError):
        plan.recover(PermissionError(), never)
    assert repr(plan) == "ByAdvice(retry: RetryOnce(), fix: Fallback('default'))"


@pytest.mark.parametrize(
    ("plan", "answers"),
    [
        (RetryOnce, ["answer"]),
        (lambda: Retry(2) | Fallback("x"), [TimeoutError(), "answer"]),
        (lambda: Retry(2) | Fallback("x"), [TimeoutError(), TimeoutError()]),
        (lambda: Fallback(repr), []),
        (lambda: Restart(list), ["answer"]),
        (lambda: Escalate(repr) | Ignore(), []),
        (lambda: ByAdvice({Advice.retry: RetryOnce()}), ["answer"]),
    ],
)
async def test_async_does_what_sync_does(plan: Callable[[], Recovery], answers: list[Any]) -> None:
    """One machine runs both."""
    sync = plan().recover(TimeoutError(), Service(*answers).call)
    assert await plan().recover_async(TimeoutError(), Service(*answers).call_async) == sync
    assert await plan().recover_async(TimeoutError(), Service(*answers).call) == sync


async def test_async_functions_may_be_given_everywhere() -> None:
    """Fallbacks, restarts and escalations are awaited."""
    done: list[str] = []

    async def note(*what: Any) -> str:
        await asyncio.sleep(0)
        done.append("noted")
        return "noted"

    assert await Fallback(note).recover_async(TypeError(), never) == Recovered("noted", "Fallback")
    assert await Restart(note).recover_async(TypeError(), Service("up").call_async) == Recovered("up", "Restart")
    assert await (Escalate(note) | Ignore()).recover_async(TypeError(), never) == Recovered(None, "Ignore")
    assert done == ["noted"] * 3


def test_an_async_call_in_sync_code_is_an_error_with_a_way_out() -> None:
    """And nothing is left never awaited."""
    with pytest.raises(ConfigError, match=r"^the call is asynchronous; await recover_async\(error, call\)$"):
        RetryOnce().recover(TimeoutError(), Service("x").call_async)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Retry(0), "times must be a whole number, 1 to 100, got 0"),
        (lambda: Retry(True), "times must be a whole number, 1 to 100, got True"),
        (lambda: Ignore(when="timeout"), "when must be a Kind or several, got 't'"),  # type: ignore[arg-type]
        (lambda: Restart(7), "restart must be callable, got 7"),  # type: ignore[arg-type]
        (lambda: Escalate(None), "tell must be callable, got None"),  # type: ignore[arg-type]
        (Chain, "a chain must be of recoveries, got nothing; see seawall.errors.recovery"),
        (lambda: Ignore() | 7, "a chain must be of recoveries, got 7; see seawall.errors.recovery"),  # type: ignore[operator]
        (
            lambda: ByAdvice({"retry": RetryOnce()}),  # type: ignore[dict-item]
            "recoveries must map Advice to recoveries, got 'retry': RetryOnce()",
        ),
    ],
)
def test_wrong_arguments_are_told(make: Callable[[], Any], message: str) -> None:
    """What was wrong, the value, the range."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def test_users_write_their_own() -> None:
    """A subclass yields what is to be called."""

    class Twice(Recovery):
        def attempt(self, error: BaseException, call: Callable[[], Any]) -> Any:
            first = yield call
            second = yield call
            return first, second

    assert Twice().recover(TimeoutError(), Service(1, 2).call) == Recovered((1, 2), "Twice")
    with pytest.raises(NotImplementedError, match=r"^Recovery must say what it does in attempt\(error, call\)$"):
        Recovery().recover(TimeoutError(), never)
