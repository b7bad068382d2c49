"""What the order of policies means, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.guard.witness import Refuses, Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard import Custom, Pipeline
from seawall.guard.retry import Constant


@pytest.fixture
def clock() -> ManualClock:
    """A clock that jumps when somebody waits."""
    return ManualClock(autojump=True)


def failing(*outcomes: Any) -> Callable[[], Any]:
    """A function with these outcomes, one a call; exceptions are raised."""
    left = iter(outcomes)

    def call() -> Any:
        outcome = next(left)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return call


def retry(clock: ManualClock, attempts: int = 3, wait: float = 1.0, **options: Any) -> sw.Retry:
    """A retry without chance."""
    return sw.Retry(attempts, backoff=Constant(wait), jitter="none", clock=clock, **options)


def test_a_retry_outside_a_timeout_gives_each_attempt_its_own_time(clock: ManualClock) -> None:
    """Three attempts of two seconds each, none of which is late alone."""

    def slow() -> str:
        clock.advance(2.0)
        if clock.time() < 7.0:
            raise ConnectionError
        return "there"

    assert Pipeline(retry(clock), sw.Timeout(3.0, clock=clock)).call(slow) == "there"
    assert clock.time() == 8.0


def test_a_retry_inside_a_timeout_shares_one_time(clock: ManualClock) -> None:
    """The second attempt would begin too late, so that it is not made: the callee's own error is raised."""
    calls = 0

    def slow() -> None:
        nonlocal calls
        calls += 1
        clock.advance(2.0)
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError) as caught:
        Pipeline(sw.Timeout(3.0, clock=clock), retry(clock)).call(slow)
    assert calls == 1
    assert caught.value.__notes__[0] == (
        "retry gave up after 1 attempt in 2 s: a wait of 1 s would outlast the deadline, which leaves 1 s"
    )


def test_a_fallback_outermost_answers_for_every_policy_inside(clock: ManualClock) -> None:
    """A breaker that has opened, and a limit, become answers."""
    breaker = sw.CircuitBreaker("b", consecutive=1, clock=clock)
    guard = Pipeline(sw.Fallback("answer", clock=clock), breaker)
    assert guard.call(failing(ConnectionError())) == "answer"
    assert breaker.state == "open"
    assert guard.call(failing("never asked")) == "answer"
    assert guard["fallback"].stats().fell_back == 2


def test_a_fallback_inside_hides_failures_from_the_policies_outside(clock: ManualClock) -> None:
    """A retry outside a fallback sees only success."""
    guard = Pipeline(retry(clock), sw.Fallback("answer", clock=clock))
    assert guard.call(failing(ConnectionError())) == "answer"
    assert guard["retry"].stats().retries == 0


def breaker_outside(inner: Any, clock: ManualClock, **options: Any) -> sw.CircuitBreaker:
    """A breaker that one failure opens, after a call that `inner` refuses."""
    breaker = sw.CircuitBreaker("b", consecutive=1, clock=clock, **options)
    with sw.Deadline(0.5, clock=clock), pytest.raises(sw.Rejected):
        Pipeline(breaker, inner).call(failing(1))
    return breaker


@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize("kind", ["hooks", "refusing at once", "refusing to wait", "several limits"])
def test_refusals_of_inner_policies_are_nobodys_failure(kind: str, judged: bool, clock: ManualClock) -> None:
    """Refused at once or while waiting: a breaker outside does not count it, also when it judges every exception."""
    full = sw.Bulkhead(1, clock=clock)
    full.acquire()
    limit = sw.TokenBucket(1, per=60, burst=1, clock=clock)
    limit.acquire()
    inner = {
        "hooks": Custom(Refuses()),
        "refusing at once": full,
        "refusing to wait": limit,
        "several limits": sw.AllOf(limit),
    }[kind]
    options = {"failure_if": lambda outcome: isinstance(outcome, Exception)} if judged else {}
    breaker = breaker_outside(inner, clock, **options)
    assert (breaker.state, breaker.stats().failures, breaker.stats().ignored) == ("closed", 0, 1)


def test_an_open_circuit_is_not_retried(clock: ManualClock) -> None:
    """A retry outside a breaker does not knock at an open door."""
    breaker = sw.CircuitBreaker("b", consecutive=2, clock=clock)
    guard = Pipeline(retry(clock, 5), breaker)
    with pytest.raises(sw.CircuitOpen):
        guard.call(failing(ConnectionError(), ConnectionError(), "never asked"))
    stats = guard["retry"].stats()
    assert (stats.attempts, stats.retries, breaker.stats().refused) == (3, 2, 1)


def test_a_retry_waits_as_long_as_a_refusal_asks(clock: ManualClock) -> None:
    """RateLimited says when to come back: the retry does, and not earlier."""
    limit = sw.TokenBucket(1, per=10, burst=1, clock=clock)
    refusing = Custom(_Checking(limit))
    guard = Pipeline(retry(clock, 2, 0.1), refusing)
    assert guard.call(failing("first")) == "first"
    assert guard.call(failing("second")) == "second"
    assert clock.time() == 10.0


def test_a_retry_does_not_wait_beyond_the_deadline(clock: ManualClock) -> None:
    """A refusal that asks for more than is left is raised at once."""
    limit = sw.TokenBucket(1, per=10, burst=1, clock=clock)
    guard = Pipeline(retry(clock, 2, 0.1), Custom(_Checking(limit)))
    guard.call(failing("first"))
    with sw.Deadline(5, clock=clock), pytest.raises(sw.RateLimited) as caught:
        guard.call(failing("second"))
    assert caught.value.retry_after == 10.0
    assert clock.time() == 0.0


class _Checking(Witness):
    """Refuses at once where the limit itself would wait."""

    def __init__(self, limit: sw.TokenBucket) -> None:
        super().__init__()
        self.limit = limit

    def before(self) -> str:
        decision = self.limit.check()
        if not decision.admitted:
            raise sw.RateLimited("later", retry_after=decision.retry_after)
        return "token"


def test_a_pipeline_in_a_pipeline_is_taken_apart() -> None:
    """Its policies stand where it stood, and stay the same objects."""
    a, b, c, d = (Custom(Witness(), name=name) for name in "abcd")
    inner = Pipeline(b, c, name="inner")
    assert Pipeline(a, inner, d).policies == (a, b, c, d)
    assert Pipeline(inner).policies == inner.policies


def test_guarded_functions_nest(clock: ManualClock) -> None:
    """A guarded function behind another pipeline: both hear of it, the inner first, and retries do not multiply."""
    heard: list[tuple[str, Any, str]] = []
    calls = 0

    @Pipeline(Custom(Witness(heard, "inner")), retry(clock))
    def down() -> None:
        nonlocal calls
        calls += 1
        raise ConnectionError

    outer = Pipeline(Custom(Witness(heard, "outer")), retry(clock))
    with pytest.raises(ConnectionError) as caught:
        outer.call(down)
    assert calls == 3
    assert [name for name, _, _ in heard] == ["inner", "inner", "inner", "outer"]
    notes = caught.value.__notes__
    assert "through Custom 'Witness' > Retry 'retry'" in notes


def test_a_retry_made_by_a_fallback_stands_back_too(clock: ManualClock) -> None:
    """What a fallback calls is inside the retry around it."""
    calls = 0

    @retry(clock)
    def second() -> None:
        nonlocal calls
        calls += 1
        raise ConnectionError

    def first() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Pipeline(retry(clock, 2), sw.Fallback(second)).call(first)
    assert calls == 2


async def test_a_retry_made_by_an_awaited_fallback_stands_back_too(clock: ManualClock) -> None:
    """The same for coroutine functions, and for plain functions given to call_async."""
    calls = 0

    @retry(clock)
    def second() -> None:
        nonlocal calls
        calls += 1
        raise ConnectionError

    async def first() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await Pipeline(retry(clock, 2), sw.Fallback(second)).call_async(first)
    assert calls == 2
    with pytest.raises(ConnectionError):
        await retry(clock, 2).call_async(second)  # type: ignore[arg-type]
    assert calls == 4


def test_more_than_eight_policies_are_refused() -> None:
    """With the number, and the way out."""
    policies = [Custom(Witness(), name=f"p{i}") for i in range(9)]
    with pytest.raises(ConfigError) as caught:
        Pipeline(*policies[:5], Pipeline(*policies[5:]))
    assert str(caught.value) == "a pipeline has 1 to 8 policies, got 9; guard a guarded function for more"
    assert len(Pipeline(*policies[:8])) == 8
    with pytest.raises(ConfigError) as caught:
        Pipeline()
    assert str(caught.value) == "a pipeline has 1 to 8 policies, got 0; guard a guarded function for more"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (sw.Timeout, "a pipeline is made of policies, got the class Timeout; call it first"),
        (
            sw.TokenBucket(1).keyed(10),
            "{!r} decides by key and cannot stand in a pipeline; call it with a key inside",
        ),
    ],
)
def test_what_is_no_policy_is_refused(wrong: Any, message: str) -> None:
    """Classes and keyed limits are told what to do instead."""
    with pytest.raises(ConfigError) as caught:
        Pipeline(wrong)
    assert str(caught.value) == message.format(wrong)


def test_an_object_without_hooks_is_told_what_is_missing() -> None:
    """The message names the hooks."""
    with pytest.raises(ConfigError) as caught:
        Pipeline(object())
    assert str(caught.value) == "object is no Hooks: before is missing; after is missing"
