"""Shadow and enforce, and the deadline, for every policy inside a pipeline."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.guard.witness import Refuses, Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard import Custom, Pipeline, Policy

CLOCK = ManualClock()


def full_bulkhead(**lenience: Any) -> Policy:
    """No place."""
    bulkhead = sw.Bulkhead(1, clock=CLOCK)
    bulkhead.acquire()
    bulkhead._lenience(lenience.get("shadow", False), lenience.get("enforce", 1.0))
    return bulkhead


def used_up(make: Callable[..., Any]) -> Callable[..., Policy]:
    """A limit without a token."""

    def limit(**lenience: Any) -> Policy:
        made = make(clock=CLOCK, **lenience)
        made.check()
        return made  # type: ignore[no-any-return]

    return limit


def open_breaker(**lenience: Any) -> Policy:
    """By hand."""
    breaker = sw.CircuitBreaker(clock=CLOCK, **lenience)
    breaker.force_open()
    return breaker


def both(**lenience: Any) -> Policy:
    """Several limits, one of them used up."""
    limit = sw.TokenBucket(1, per=60, burst=1, clock=CLOCK)
    limit.acquire()
    return sw.AllOf(limit, **lenience)


def late() -> str:
    """Comes too late."""
    CLOCK.advance(2)
    return "passed"


def lost() -> None:
    """Fails."""
    raise ConnectionError


def passes() -> str:
    """Is well."""
    return "passed"


REFUSING: dict[str, tuple[Callable[..., Policy], Callable[[], Any]]] = {
    "hooks": (lambda **lenience: Custom(Refuses(), **lenience), passes),
    "token bucket": (used_up(lambda **o: sw.TokenBucket(1, per=60, burst=1, **o)), passes),
    "leaky bucket": (used_up(lambda **o: sw.LeakyBucket(1, per=60, capacity=1, **o)), passes),
    "fixed window": (used_up(lambda **o: sw.FixedWindow(1, window=60, **o)), passes),
    "sliding window": (used_up(lambda **o: sw.SlidingWindow(1, window=60, **o)), passes),
    "sliding log": (used_up(lambda **o: sw.SlidingLog(1, window=60, **o)), passes),
    "several limits": (both, passes),
    "bulkhead": (full_bulkhead, passes),
    "breaker": (open_breaker, passes),
    "timeout": (lambda **lenience: sw.Timeout(1, clock=CLOCK, **lenience), late),
}


def outcomes(guard: Pipeline, callee: Callable[[], Any], calls: int) -> list[str]:
    """What each of some calls ended in, none of which may wait."""
    seen = []
    for _ in range(calls):
        try:
            with sw.Deadline(10, clock=CLOCK):
                seen.append(guard.call(callee))
        except sw.SeawallError:
            seen.append("refused")
    return seen


@pytest.mark.parametrize("kind", REFUSING)
def test_a_policy_in_a_pipeline_refuses(kind: str) -> None:
    """Without shadow and enforce every refusal stands, and reaches the policies outside."""
    make, callee = REFUSING[kind]
    heard: list[tuple[str, Any, str]] = []
    guard = Pipeline(Custom(Witness(heard, "outer")), make())
    assert outcomes(guard, callee, 3) == ["refused"] * 3
    assert all(error for _, _, error in heard)


@pytest.mark.parametrize("kind", REFUSING)
def test_shadow_in_a_pipeline_refuses_nobody_and_counts(kind: str) -> None:
    """The callee is reached, policies inside hear of the call, and `let_through` says how many were pardoned."""
    make, callee = REFUSING[kind]
    heard: list[tuple[str, Any, str]] = []
    policy = make(shadow=True)
    before = policy.let_through
    assert outcomes(Pipeline(policy, Custom(Witness(heard, "inner"))), callee, 3) == ["passed"] * 3
    assert policy.let_through - before == 3
    assert heard == [("inner", "passed", "")] * 3


@pytest.mark.parametrize("kind", REFUSING)
def test_enforce_in_a_pipeline_lets_that_share_stand(kind: str) -> None:
    """Of eight refusals exactly half: a refusal is pardoned or not, once."""
    make, callee = REFUSING[kind]
    policy = make(enforce=0.5)
    before = policy.let_through
    assert outcomes(Pipeline(policy, Custom(Witness())), callee, 8).count("refused") == 4
    assert policy.let_through - before == 4


@pytest.mark.parametrize(("lenience", "made"), [({}, 8), ({"shadow": True}, 0), ({"enforce": 0.5}, 4)])
def test_a_retry_makes_its_enforced_share(lenience: dict[str, Any], made: int) -> None:
    """In shadow retries are counted and not made."""
    retry = sw.Retry(2, backoff=0.0, clock=CLOCK, **lenience)
    for _ in range(8):
        with pytest.raises(ConnectionError):
            Pipeline(retry, Custom(Witness())).call(lost)
    stats = retry.stats()
    assert (stats.retries, stats.not_made) == (made, 8 - made)


@pytest.mark.parametrize(("lenience", "answered"), [({}, 8), ({"shadow": True}, 0), ({"enforce": 0.5}, 4)])
def test_a_fallback_answers_its_enforced_share(lenience: dict[str, Any], answered: int) -> None:
    """In shadow errors are passed on and counted."""
    fallback = sw.Fallback("passed", clock=CLOCK, **lenience)
    seen = 0
    for _ in range(8):
        with contextlib.suppress(ConnectionError):
            seen += Pipeline(fallback, Custom(Witness())).call(lost) == "passed"  # type: ignore[comparison-overlap]
    assert (seen, fallback.let_through) == (answered, 8 - answered)


def test_several_limits_in_shadow_count_what_they_admit() -> None:
    """Whom all limits admit has passed for that reason, not because of shadow."""
    limit = sw.TokenBucket(1, per=60, burst=2, clock=CLOCK)
    policy = sw.AllOf(limit, shadow=True)
    assert [policy.call(passes) for _ in range(3)] == ["passed"] * 3
    assert (limit.stats().admitted, limit.stats().refused, policy.let_through) == (2, 1, 1)
    assert policy.try_acquire()
    policy.acquire()
    assert policy.let_through == 3


def test_shadow_does_not_swallow_an_interrupt() -> None:
    """A KeyboardInterrupt while hooks decide is no refusal."""

    class Interrupted(Witness):
        def before(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Custom(Interrupted(), shadow=True).call(passes)


WAITING: dict[str, Callable[[ManualClock], Policy]] = {
    "token bucket": lambda clock: sw.TokenBucket(1, per=60, burst=1, clock=clock),
    "leaky bucket": lambda clock: sw.LeakyBucket(1, per=60, capacity=5, clock=clock),
    "fixed window": lambda clock: sw.FixedWindow(1, window=60, clock=clock),
    "sliding window": lambda clock: sw.SlidingWindow(1, window=60, clock=clock),
    "sliding log": lambda clock: sw.SlidingLog(1, window=60, clock=clock),
    "several limits": lambda clock: sw.AllOf(sw.TokenBucket(1, per=60, burst=1, clock=clock)),
    "bulkhead": lambda clock: sw.Bulkhead(1, max_queue=5, clock=clock),
}


@pytest.mark.parametrize("kind", WAITING)
async def test_a_policy_that_waits_honours_the_deadline(kind: str) -> None:
    """A wait that the Deadline in context does not cover ends in a refusal, at the latest when it passes."""
    clock = ManualClock(autojump=True)
    policy: Any = WAITING[kind](clock)
    policy.acquire()
    guard = Pipeline(Custom(Witness()), policy)
    with pytest.raises(sw.Rejected), sw.Deadline(5, clock=clock):
        guard.call(passes)
    assert clock.time() <= 5
    with pytest.raises(sw.Rejected), sw.Deadline(5, clock=clock):
        await guard.call_async(passes)  # type: ignore[arg-type]
    assert clock.time() <= 10


def test_a_retry_and_a_timeout_honour_the_deadline() -> None:
    """A retry does not wait beyond it, and a timeout gives no more than it leaves."""
    clock = ManualClock(autojump=True)
    retry = sw.Retry(5, backoff=3.0, jitter="none", clock=clock)
    with sw.Deadline(5, clock=clock), pytest.raises(ConnectionError):
        Pipeline(retry, sw.Timeout(60, clock=clock)).call(lost)
    assert (retry.stats().attempts, clock.time()) == (2, 3.0)

    def left() -> float:
        return sw.Deadline.current().remaining()  # type: ignore[union-attr]

    with sw.Deadline(5, clock=clock):
        assert Pipeline(sw.Timeout(60, clock=clock), Custom(Witness())).call(left) == 5.0
