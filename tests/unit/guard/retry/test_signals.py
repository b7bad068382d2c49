"""What a retry says happened."""

from __future__ import annotations

from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.retry import GaveUp, Recovered, Retrying


def heard(policy: sw.Retry) -> list[Any]:
    """All events of a retry, in order."""
    events: list[Any] = []
    for signal in (policy.retrying, policy.gave_up, policy.recovered):
        signal.connect(events.append)
    return events


def answering(*answers: Any) -> Any:
    """A callee that gives one answer after the other."""
    left = list(answers)

    def callee() -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return callee


def test_a_call_that_recovers_tells_each_retry_and_the_recovery() -> None:
    """Retrying carries attempt, wait and error; recovered how long it took."""
    policy = sw.Retry(3, jitter="none", clock=ManualClock(autojump=True), name="fetch")
    events, first, second = heard(policy), TimeoutError("1"), TimeoutError("2")
    policy.call(answering(first, second, "fine"))
    assert events == [Retrying("fetch", 1, 0.1, first), Retrying("fetch", 2, 0.2, second), Recovered("fetch", 3, 0.3)]


def test_a_call_that_gives_up_tells_why() -> None:
    """gave_up carries the last error and the reason, which is empty when the attempts are used up."""
    policy = sw.Retry(2, jitter="none", clock=ManualClock(autojump=True))
    events, last, bad = heard(policy), TimeoutError("2"), KeyError("bad")
    with pytest.raises(TimeoutError):
        policy.call(answering(TimeoutError("1"), last))
    with pytest.raises(KeyError):
        policy.call(answering(TimeoutError("1"), bad))
    assert [event for event in events if isinstance(event, GaveUp)] == [
        GaveUp("retry", 2, 0.1, last, ""),
        GaveUp("retry", 2, 0.1, bad, "this error is not retried"),
    ]


def test_results_that_are_retried_are_told_as_results() -> None:
    """Without an error the event carries the result."""
    policy = sw.Retry(2, on_result=lambda answer: answer == 503, backoff=0)
    events = heard(policy)
    policy.call(answering(503, 200))
    assert events[0] == Retrying("retry", 1, 0.0, None, 503)


def test_a_first_attempt_tells_nothing() -> None:
    """Success at once and errors that are not retried are no events."""
    policy = sw.Retry(2)
    events = heard(policy)
    policy.call(answering("fine"))
    with pytest.raises(KeyError):
        policy.call(answering(KeyError("bad")))
    assert events == []


def test_a_receiver_that_fails_costs_no_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever listens cannot break the call."""
    policy = sw.Retry(2, backoff=0)

    def broken(_: object) -> None:
        raise RuntimeError("receiver")

    policy.retrying.connect(broken)
    assert policy.call(answering(TimeoutError(), "fine")) == "fine"
    assert policy.retrying.failures == 1
    assert len(caplog.records) == 1
