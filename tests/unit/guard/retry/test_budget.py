"""The share of calls that may be repeats."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError, RetryBudgetExhausted
from seawall.guard.retry import BudgetStats, GaveUp


@pytest.fixture
def segment() -> Iterator[str]:
    """A segment of this test's own."""
    name = f"test-budget-{os.getpid()}"
    sw.Segment.remove(name)
    yield name
    sw.Segment.remove(name)


def failing() -> None:
    """A callee worth another attempt, always."""
    raise TimeoutError("down")


def calls(policy: sw.Retry, count: int) -> None:
    """So many calls that all fail."""
    for _ in range(count):
        with pytest.raises(TimeoutError):
            policy.call(failing)


def test_retries_of_a_service_that_is_down_are_a_share_of_the_calls() -> None:
    """A hundred failing calls of up to three attempts: twenty retries, not two hundred."""
    budget = sw.RetryBudget(0.2, min_per_second=0, clock=ManualClock())
    policy = sw.Retry(3, backoff=0, budget=budget)
    calls(policy, 100)
    stats = policy.stats()
    assert (stats.retries, stats.gave_up) == (20, 100)
    assert budget.balance == 0
    assert stats.refused_by_budget == budget.refused == budget.stats().refused
    assert stats.refused_by_budget >= 80


def test_a_seldom_called_service_is_retried_from_the_reserve() -> None:
    """min_per_second x window retries are allowed without any call to pay for them, and return with the window."""
    clock = ManualClock()
    budget = sw.RetryBudget(0, min_per_second=0.3, window=10, clock=clock)
    assert [budget.withdraw() for _ in range(4)] == [True, True, True, False]
    clock.advance(9.9)
    assert not budget.withdraw()
    clock.advance(0.1)
    assert budget.withdraw()


def test_one_budget_serves_many_retries() -> None:
    """What one policy's calls pay for, another's may spend."""
    budget = sw.RetryBudget(0.5, min_per_second=0)
    healthy, sick = sw.Retry(2, budget=budget), sw.Retry(2, backoff=0, budget=budget)
    for _ in range(10):
        healthy.call(lambda: None)
    calls(sick, 10)
    assert sick.stats().retries == 10


def test_the_caller_sees_the_original_error_with_a_note_and_listeners_the_refusal() -> None:
    """An exhausted budget changes nothing about what the callee said."""
    error = TimeoutError("down")
    policy = sw.Retry(3, budget=sw.RetryBudget(0, min_per_second=0, name="payments-budget"), clock=ManualClock())
    events: list[GaveUp] = []
    policy.gave_up.connect(events.append)

    def down() -> None:
        raise error

    with pytest.raises(TimeoutError) as caught:
        policy.call(down)
    assert caught.value is error
    assert error.__cause__ is None
    assert error.__notes__ == ["retry gave up after 1 attempt in 0 s: payments-budget has no retry left"]
    refusal = events[0].refusal
    assert isinstance(refusal, RetryBudgetExhausted)
    assert (refusal.policy, str(refusal)) == ("payments-budget", "payments-budget has no retry left")


def test_neither_a_shadow_nor_a_retry_that_stands_back_spends_or_pays_twice() -> None:
    """Only retries that are made are paid for; a call inside another retry's repeats pays nothing."""
    budget = sw.RetryBudget(1.0, min_per_second=0)
    calls(sw.Retry(3, backoff=0, budget=budget, shadow=True), 3)
    assert budget.balance == 3
    inner = sw.Retry(3, backoff=0, budget=budget)
    with pytest.raises(TimeoutError):
        sw.Retry(3, backoff=0).call(inner(failing))
    assert budget.balance == 3


def test_a_retry_that_the_deadline_refuses_costs_the_budget_nothing() -> None:
    """The budget is asked last."""
    budget = sw.RetryBudget(1.0, min_per_second=0)
    calls(sw.Retry(3, backoff=5, jitter="none", max_time=1, budget=budget), 3)
    assert (budget.balance, budget.refused) == (3, 0)


def test_a_shared_budget_is_one_budget(segment: str) -> None:
    """Whoever names the segment and the slot spends from the same."""
    one = sw.RetryBudget(0, min_per_second=0.3, shared=segment, name="b")
    other = sw.RetryBudget(0, min_per_second=0.3, shared=segment, name="b")
    assert [one.withdraw(), other.withdraw(), one.withdraw(), other.withdraw()] == [True, True, True, False]
    path = sw.Segment.attach(segment).path
    settings = "ratio 0, 0.3 per second, in windows of 10 s"
    assert other.stats() == BudgetStats("b", settings, 0, 1, path)
    assert repr(other) == f"<RetryBudget 'b': {settings}, balance 0 shared in {path}>"


def test_a_conflict_is_an_error_unless_said_otherwise(segment: str) -> None:
    """Adopt follows the segment, replace changes it for everybody."""
    first = sw.RetryBudget(0.5, shared=segment)
    with pytest.raises(ConfigError) as caught:
        sw.RetryBudget(0.2, shared=segment)
    assert str(caught.value) == (
        f"retry_budget 'retry_budget' in segment {sw.Segment.attach(segment).path} is configured as "
        "ratio 0.5, 10 per second, in windows of 10 s, this one asks for ratio 0.2, 10 per second, in windows of 10 s; "
        "give on_conflict='adopt' to follow the segment, 'replace' to change it for everybody, or another name"
    )
    adopted = sw.RetryBudget(0.2, shared=segment, on_conflict="adopt")
    assert "ratio 0.5" in adopted.stats().settings
    sw.RetryBudget(0.2, shared=segment, on_conflict="replace")
    assert "ratio 0.2," in first.stats().settings


def test_a_shared_budget_pickles_and_a_private_one_says_why_not(segment: str) -> None:
    """A copy must not be a second budget; a retry with a shared budget travels with it."""
    shared = sw.RetryBudget(0, min_per_second=0.1, shared=segment)
    policy: Any = pickle.loads(pickle.dumps(sw.Retry(2, budget=shared, backoff=0)))
    calls(policy, 2)
    assert (policy.stats().retries, shared.balance) == (1, 0)
    with pytest.raises(TypeError) as caught:
        pickle.dumps(sw.Retry(budget=sw.RetryBudget(name="mine")))
    assert str(caught.value) == (
        "RetryBudget 'mine' cannot be pickled: a copy in another process would be a second budget; "
        "give it shared='...' so that both use one"
    )


def test_reconfiguring_keeps_what_was_paid_and_spent() -> None:
    """A new ratio counts for the calls of the window at once."""
    budget = sw.RetryBudget(0.1, min_per_second=0, clock=ManualClock())
    for _ in range(10):
        budget.deposit()
    assert (budget.withdraw(), budget.balance) == (True, 0)
    budget.reconfigure(0.5, min_per_second=0)
    assert budget.balance == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 1.5}, "ratio must be 0 to 1, got 1.5; retries that each first attempt pays for"),
        (
            {"min_per_second": -1},
            "min_per_second must be 0 to 1000000 per second, got -1; "
            "retries that are allowed besides, without any call",
        ),
        ({"window": 0}, "window must be 0.01 to 31536000 s, got 0; how long a first attempt pays"),
        (
            {"min_per_second": 1e6, "window": 60},
            "min_per_second x window must be at most 16777216, got 1e+06 x 60",
        ),
        ({"on_conflict": "ask"}, "on_conflict must be 'error', 'adopt' or 'replace', got 'ask'"),
        ({"name": ""}, "name must be a str of 1 to 100 bytes, got ''"),
        ({"shared": 1}, "shared must be a Segment, its name or None, got 1"),
    ],
)
def test_an_option_that_can_never_work_is_refused(options: dict[str, Any], message: str) -> None:
    """The message says what was wrong, the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        sw.RetryBudget(**options)
    assert str(caught.value) == message


def test_a_budget_is_made_once() -> None:
    """A second __init__ would change what others use."""
    budget = sw.RetryBudget()
    with pytest.raises(TypeError) as caught:
        budget.__init__()  # type: ignore[misc]
    assert str(caught.value) == "RetryBudget.__init__ may be called once"


def test_a_budget_that_was_not_made_is_an_error_not_a_crash() -> None:
    """A subclass that forgets to call __init__ is told so, by the budget and by a retry that is given it."""
    budget = sw.RetryBudget.__new__(sw.RetryBudget)
    for use in (budget.deposit, budget.withdraw, budget.stats, lambda: sw.Retry(2, budget=budget)):
        with pytest.raises(TypeError) as caught:
            use()
        assert str(caught.value) == "RetryBudget.__init__ was not called"
