"""What try_acquire, check and peek answer, to the nanosecond."""

import pytest
from tests.oracles.pairs import NAMES, pair

import seawall as sw
from seawall.clock import ManualClock

ALL_AT_ONCE = [name for name in NAMES if name != "leaky_bucket"]


@pytest.mark.parametrize("name", ALL_AT_ONCE)
def test_as_many_as_the_limit_pass_at_once(name):
    """A new limit of five admits five calls at one instant and no sixth."""
    limit = pair(name).limit
    assert [limit.try_acquire() for _ in range(7)] == [True] * 5 + [False] * 2


def test_a_leaky_bucket_passes_one_at_a_time():
    """A leaky bucket of five a second admits a call each fifth of a second, whatever its capacity."""
    both = pair("leaky_bucket")
    answers = []
    for _ in range(5):
        answers += [both.limit.try_acquire(), both.limit.try_acquire()]
        both.clock.advance(0.2)
    assert answers == [True, False] * 5


def test_a_decision_says_all_of_it():
    """Fields of a decision: admitted, the limit, what is left, both times in seconds, the name, and no key."""
    limit = sw.TokenBucket(10, burst=2, name="mail", clock=ManualClock())
    assert limit.check() == (True, 2, 1, 0.0, 0.1, "mail", None)
    assert limit.check() == (True, 2, 0, 0.0, 0.2, "mail", None)
    refused = limit.check()
    assert refused == (False, 2, 0, 0.1, 0.2, "mail", None)
    assert refused._fields == ("admitted", "limit", "remaining", "retry_after", "reset_after", "name", "key")


def test_a_decision_is_true_when_admitted():
    """A decision can stand in an if."""
    limit = sw.FixedWindow(1, window=1, clock=ManualClock())
    assert limit.check()
    assert not limit.check()


@pytest.mark.parametrize(
    ("name", "retry_after", "reset_after"),
    [
        ("token_bucket", 0.142857143, 1.0),
        ("leaky_bucket", 0.142857143, 0.142857143),
        ("fixed_window", 0.7, 0.7),
        ("sliding_window", 0.842857143, 1.7),
        ("sliding_log", 1.0, 1.0),
    ],
)
def test_times_of_a_refusal_are_exact(name, retry_after, reset_after):
    """Seven a second, all taken 0.3 s into a window: next call and full reset are due at the nanosecond, rounded up."""
    both = pair(name, amount=7, limit=7)
    both.clock.advance(0.3)
    while both.limit.try_acquire():
        pass
    seen = both.limit.check()
    assert (seen.retry_after, seen.reset_after) == (retry_after, reset_after)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cost", [1, 2])
def test_a_refused_call_is_admitted_at_retry_after_and_not_a_nanosecond_sooner(name, cost):
    """When nobody else comes, retry_after is the exact instant at which the same call passes."""
    both = pair(name, amount=7, limit=7)
    both.clock.advance(0.3)
    while both.limit.try_acquire():
        pass
    wait = round(both.limit.check(cost).retry_after * 1e9)
    start = both.now
    both.clock.set_ns(start + wait - 1)
    assert not both.limit.try_acquire(cost)
    both.clock.set_ns(start + wait)
    assert both.limit.try_acquire(cost)


@pytest.mark.parametrize("name", NAMES)
def test_after_reset_after_it_is_as_new(name):
    """When reset_after has passed, everything may be taken again."""
    both = pair(name)
    fresh = both.limit.peek()
    while both.limit.try_acquire():
        pass
    reset = round(both.limit.peek().reset_after * 1e9)
    both.clock.set_ns(both.now + reset - 1)
    assert both.limit.peek().reset_after > 0
    both.clock.set_ns(both.now + 1)
    assert both.limit.peek() == fresh


@pytest.mark.parametrize("name", NAMES)
def test_peek_changes_nothing(name):
    """Any number of peeks leaves state and statistics as they were."""
    limit = pair(name).limit
    limit.try_acquire()
    before = limit.stats(), limit.peek(3)
    for cost in (1, 2, 3, 4, 5):
        limit.peek(cost)
    assert (limit.stats(), limit.peek(3)) == before


@pytest.mark.parametrize("name", NAMES)
def test_peek_answers_what_check_would(name):
    """A peek and the check after it differ only in what the check took."""
    both = pair(name)
    for cost in (2, 1, 3, 2):
        seen, decided = both.limit.peek(cost), both.limit.check(cost)
        assert (seen.admitted, seen.retry_after) == (decided.admitted, decided.retry_after)
        assert decided.remaining == seen.remaining - cost * decided.admitted
        both.clock.advance(0.1)


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_takes_nothing(name):
    """A refused call leaves what remains and when it resets as it was."""
    limit = pair(name).limit
    limit.try_acquire(4)
    before = limit.peek()
    assert not limit.try_acquire(5)
    assert not limit.check(5)
    assert limit.peek() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_clock_that_steps_back_admits_nothing_extra(name):
    """What was taken stays taken when the clock goes back."""
    both = pair(name)
    both.clock.advance(100)
    while both.limit.try_acquire():
        pass
    both.clock.step_back(50)
    assert not both.limit.try_acquire()
    both.clock.advance(50)
    assert not both.limit.try_acquire()
