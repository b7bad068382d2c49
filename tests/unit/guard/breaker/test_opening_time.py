"""How long a breaker stays open."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, succeed

from seawall.clock import ManualClock
from seawall.guard.breaker import CircuitBreaker, OpeningTimes


@dataclass
class Doubling:
    """Two seconds, then four, eight, ...; and what it was asked."""

    asked: list[tuple[int, int]] = field(default_factory=list)

    def wait(self, attempt: int, previous: int, rng: Any) -> int:
        """Nanoseconds."""
        assert isinstance(rng, random.Random)
        self.asked.append((attempt, previous))
        return 2_000_000_000 << (attempt - 1)


class Busy(ConnectionError):
    """An error with the header Retry-After."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(seconds)}


def left(breaker: CircuitBreaker) -> float:
    """Seconds the breaker stays open."""
    seconds = breaker.stats().open_for
    assert seconds is not None
    return seconds


def opened_by(clock: ManualClock, error: Exception, **options: Any) -> float:
    """Seconds a breaker stays open that this error opened."""
    breaker = breaker_at(clock, consecutive=1, **options)
    breaker.enter().failure(error)
    return left(breaker)


def test_a_constant_is_the_same_every_time(clock: ManualClock) -> None:
    """Two seconds the first time, and two after each failed probe."""
    breaker = opened(clock)
    for _ in range(4):
        assert left(breaker) == 2.0
        clock.advance(2)
        fail(breaker)


def test_a_backoff_is_asked_with_the_openings_in_a_row_and_the_last_time(clock: ManualClock) -> None:
    """wait(attempt, previous, rng) gets 1 and 0 first, counts up while probes fail, and begins anew after closing."""
    backoff = Doubling()
    assert isinstance(backoff, OpeningTimes)
    breaker = opened(clock, open_for=backoff)
    for seconds in (2.0, 4.0, 8.0):
        assert left(breaker) == seconds
        clock.advance(seconds)
        fail(breaker)
    assert left(breaker) == 16.0
    clock.advance(16)
    succeed(breaker)
    fail(breaker, 2)
    second = 1_000_000_000
    assert backoff.asked == [(1, 0), (2, 2 * second), (3, 4 * second), (4, 8 * second), (1, 0)]


def test_longest_open_bounds_a_backoff(clock: ManualClock) -> None:
    """A series that grows stops at the bound."""
    breaker = opened(clock, open_for=Doubling(), longest_open=6)
    for seconds in (2.0, 4.0, 6.0, 6.0):
        assert left(breaker) == seconds
        clock.advance(seconds)
        fail(breaker)


def test_jitter_is_seeded_and_only_adds(clock: ManualClock) -> None:
    """open_jitter adds up to its share by chance, the same for the same seed, within longest_open."""
    times = [opened_by(clock, OSError(), open_for=100, open_jitter=0.5, seed=seed) for seed in range(200)]
    assert times == [opened_by(clock, OSError(), open_for=100, open_jitter=0.5, seed=seed) for seed in range(200)]
    expected = [100 * (1 + 0.5 * random.Random(seed).random()) for seed in range(200)]
    assert times == pytest.approx(expected, abs=2e-6)
    assert opened_by(clock, OSError(), open_for=100, open_jitter=1, longest_open=100) == 100.0


def test_a_callees_retry_after_is_kept(clock: ManualClock) -> None:
    """An error that says how long to stay away makes the opening longer, never shorter, and within longest_open."""
    assert opened_by(clock, Busy(20)) == 20.0
    assert opened_by(clock, Busy(0.5)) == 2.0
    assert opened_by(clock, Busy(1e9), longest_open=60) == 60.0
    assert opened_by(clock, ConnectionError()) == 2.0


def test_retry_after_is_read_from_a_decorated_calls_error(clock: ManualClock) -> None:
    """The error need not be handed over by hand."""
    breaker = breaker_at(clock, consecutive=1)

    @breaker
    def call() -> None:
        raise Busy(20)

    with pytest.raises(Busy):
        call()
    assert left(breaker) == 20.0


@pytest.mark.parametrize("answer", [RuntimeError("no idea"), "soon", None])
def test_a_backoff_that_fails_opens_all_the_same_and_is_heard(clock: ManualClock, answer: Any) -> None:
    """The callee gets its rest, half a minute or longest_open if that is less, and the fault comes out of the call."""

    class Broken:
        def wait(self, attempt: int, previous: int, rng: Any) -> Any:
            del attempt, previous, rng
            if isinstance(answer, Exception):
                raise answer
            return answer

    for longest, seconds in ((3600, 30.0), (10, 10.0)):
        breaker = breaker_at(clock, consecutive=1, open_for=Broken(), longest_open=longest)
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            breaker.enter().failure()
        assert (breaker.state, left(breaker)) == ("open", seconds)

    breaker = breaker_at(clock, consecutive=1, open_for=Broken())
    lost = OSError("disk")

    def call() -> None:
        raise lost

    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        breaker.call(call)
    assert caught.value.__context__ is lost
    assert breaker.state == "open"


def test_a_negative_backoff_is_none(clock: ManualClock) -> None:
    """A wait below zero opens for no time at all, and the next call is a probe."""

    class Negative:
        def wait(self, attempt: int, previous: int, rng: Any) -> int:
            del attempt, previous, rng
            return -(1 << 70)

    breaker = breaker_at(clock, consecutive=1, open_for=Negative())
    fail(breaker)
    assert left(breaker) == 0.0
    assert breaker.enter().is_probe


def test_forked_workers_without_a_seed_do_not_open_for_the_same_time() -> None:
    """Chance without a seed is the system's, not a copy of the parent's."""
    assert isinstance(CircuitBreaker(open_jitter=0.5)._rng, random.SystemRandom)
