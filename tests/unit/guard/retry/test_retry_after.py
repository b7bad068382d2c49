"""What the callee asks for is honoured."""

from __future__ import annotations

import pytest

import seawall as sw
from seawall.clock import Deadline, ManualClock


class Busy(ConnectionError):
    """An error of a client library, with the headers of the response."""

    def __init__(self, **headers: str) -> None:
        super().__init__("busy")
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def attempts_at(clock: ManualClock, policy: sw.Retry, errors: list[Exception]) -> list[float]:
    """When the attempts of a call were made that fails with `errors` and then succeeds."""
    times: list[float] = []

    def callee() -> None:
        times.append(clock.time())
        if len(times) <= len(errors):
            raise errors[len(times) - 1]

    policy.call(callee)
    return times


def test_the_wait_is_at_least_what_a_response_asks_for() -> None:
    """Retry-After of an HTTP response is waited for, and a longer backoff still holds."""
    clock = ManualClock(autojump=True)
    policy = sw.Retry(4, backoff=2.0, jitter="none", clock=clock)
    assert attempts_at(clock, policy, [Busy(Retry_After="7"), Busy(Retry_After="1"), Busy()]) == [0, 7, 9, 11]


def test_the_wait_is_what_a_refusal_of_an_inner_limit_asks_for() -> None:
    """A retry around a limit waits until the limit admits: not shorter, not longer."""
    clock = ManualClock(autojump=True)
    limit = sw.FixedWindow(1, window=5.0, clock=clock)
    policy = sw.Retry(2, backoff=0.5, jitter="none", clock=clock)

    def callee() -> float:
        if not (decision := limit.check()).admitted:
            raise sw.RateLimited("full", retry_after=decision.retry_after)
        return clock.time()

    assert [policy.call(callee), policy.call(callee)] == [0, 5.0]


def test_with_jitter_those_who_were_told_the_same_do_not_return_together() -> None:
    """Chance adds up to a fifth of what was asked for, and never takes from it."""
    times = set()
    for seed in range(50):
        clock = ManualClock(autojump=True)
        policy = sw.Retry(2, seed=seed, clock=clock)
        times.add(attempts_at(clock, policy, [Busy(Retry_After="10")])[1])
    assert all(10 <= time <= 12 for time in times)
    assert len(times) > 40


def test_results_may_ask_for_a_wait_too() -> None:
    """A response that is no exception is honoured when on_result wants it again."""
    clock = ManualClock(autojump=True)
    answers: list[object] = [Busy(Retry_After="3"), "fine"]
    policy = sw.Retry(2, on_result=lambda answer: answer != "fine", jitter="none", clock=clock)
    assert policy.call(lambda: answers.pop(0)) == "fine"
    assert clock.time() == 3


def test_a_wait_that_the_deadline_cannot_cover_is_refused_at_once() -> None:
    """Nobody sleeps only to find the deadline gone."""
    clock, error = ManualClock(autojump=True), Busy(Retry_After="30")
    with Deadline(10, clock=clock), pytest.raises(Busy):
        attempts_at(clock, sw.Retry(3, jitter="none", clock=clock), [error])
    assert clock.time() == 0
    assert error.__notes__ == [
        "retry gave up after 1 attempt in 0 s: a wait of 30 s would outlast the deadline, which leaves 10 s"
    ]


def test_a_callee_cannot_put_its_callers_to_sleep_for_a_day() -> None:
    """Waits above max_retry_after are not begun."""
    clock, error = ManualClock(autojump=True), Busy(Retry_After="86400")
    with pytest.raises(Busy):
        attempts_at(clock, sw.Retry(3, clock=clock), [error])
    assert clock.time() == 0
    assert error.__notes__ == [
        "retry gave up after 1 attempt in 0 s: the callee asks for 86400 s, more than max_retry_after=300"
    ]


def test_a_callee_that_never_wants_to_see_us_again_is_obeyed() -> None:
    """A negative gRPC pushback means: do not retry."""

    class Pushed(ConnectionError):
        def trailing_metadata(self) -> tuple[tuple[str, str], ...]:
            return (("grpc-retry-pushback-ms", "-1"),)

    error = Pushed("no")
    clock = ManualClock(autojump=True)
    with pytest.raises(Pushed):
        attempts_at(clock, sw.Retry(3, clock=clock), [error])
    assert error.__notes__ == ["retry gave up after 1 attempt in 0 s: the callee asks not to be called again"]


def test_an_open_circuit_is_not_asked_again() -> None:
    """Retrying against an open breaker is what the breaker is there to prevent."""
    calls: list[int] = []
    error = sw.CircuitOpen("open", retry_after=1.0)

    def callee() -> None:
        calls.append(1)
        raise error

    with pytest.raises(sw.CircuitOpen):
        sw.Retry(3, clock=ManualClock(autojump=True)).call(callee)
    assert len(calls) == 1
