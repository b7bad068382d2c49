"""Places in the future: taken, kept, given back."""

import re

import pytest
from tests.oracles.pairs import NAMES, pair

import seawall as sw
from seawall.clock import ManualClock


def bucket(**options):
    """Ten a second, two at once."""
    clock = ManualClock()
    return sw.TokenBucket(10, burst=2, clock=clock, **options), clock


def test_a_permit_says_when_it_is_due():
    """Places come one after another; wait falls to zero as time comes, at_ns stays."""
    limit, clock = bucket()
    assert [limit.reserve().wait for _ in range(4)] == [0.0, 0.0, 0.1, 0.2]
    permit = limit.reserve()
    assert (permit.at_ns, permit.wait) == (300_000_000, 0.3)
    clock.advance(0.25)
    assert (permit.at_ns, permit.wait) == (300_000_000, 0.05)
    clock.advance(1)
    assert permit.wait == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_a_place_reserved_is_overtaken_by_nobody(name):
    """While a reserved place is in the future, nothing passes before it, however light."""
    both = pair(name)
    while both.limit.try_acquire():
        pass
    permit = both.limit.reserve(4)
    assert permit.wait > 0
    start = both.now
    for tenth in range(10):
        both.clock.set_ns(start + (permit.at_ns - start) * tenth // 10)
        assert not both.limit.try_acquire()


@pytest.mark.parametrize("name", NAMES)
def test_cancelling_the_newest_place_leaves_no_trace(name):
    """A place given back while nobody is behind leaves the limit as if it had never been asked."""
    both = pair(name)
    both.limit.try_acquire(2)
    both.clock.advance(0.05)
    before = both.limit.peek(), both.limit.stats()
    permit = both.limit.reserve(3)
    assert both.limit.peek() != before[0]
    assert permit.cancel() is True
    assert (both.limit.peek(), both.limit.stats()) == before


def test_a_permit_can_be_cancelled_once():
    """A second cancel gives nothing back."""
    limit, _ = bucket()
    permit = limit.reserve()
    assert [permit.cancel(), permit.cancel(), permit.undo()] == [True, False, False]
    assert limit.peek().remaining == 2


def test_a_committed_place_stays_taken():
    """After commit neither cancel nor undo gives anything back."""
    limit, _ = bucket()
    permit = limit.reserve()
    permit.commit()
    assert [permit.cancel(), permit.undo()] == [False, False]
    assert limit.peek().remaining == 1


def test_undo_only_gives_back_the_newest_place():
    """Undo refuses while somebody stands behind, and works once that one has undone its own."""
    limit, _ = bucket()
    first, second = limit.reserve(), limit.reserve()
    assert first.undo() is False
    assert second.undo() is True
    assert first.undo() is True
    assert limit.peek().remaining == 2


def test_a_cancel_behind_others_gives_back_what_time_has_not():
    """A token bucket gives a place back also when a later call was admitted, less what has refilled meanwhile."""
    limit, clock = bucket()
    permit = limit.reserve()
    clock.advance(0.05)
    assert limit.try_acquire()
    assert limit.peek().retry_after == 0.05
    assert permit.cancel() is True
    assert limit.peek() == (True, 2, 1, 0.0, 0.1, "token_bucket", None)


def test_nothing_is_given_back_in_front_of_a_place_that_waits():
    """A place is not given back while a later one, computed with it in front, is still waited for."""
    limit, _ = bucket()
    first = limit.reserve(2)
    waiting = limit.reserve()
    assert waiting.wait == 0.1
    assert first.cancel() is False
    assert limit.reserve().wait == 0.2


@pytest.mark.parametrize("name", NAMES)
def test_what_time_has_given_back_is_not_given_back_again(name):
    """A cancel long after its time changes nothing."""
    both = pair(name)
    permit = both.limit.reserve(5)
    both.clock.advance(1000)
    both.limit.try_acquire(2)
    before = both.limit.peek()
    permit.cancel()
    after = both.limit.peek()
    assert after == before


@pytest.mark.parametrize("name", ["fixed_window", "sliding_window", "sliding_log"])
def test_windows_give_back_a_place_with_others_behind_in_the_same_window(name):
    """A count taken in this window can be given back though others came after."""
    both = pair(name)
    permit = both.limit.reserve(3)
    assert both.limit.try_acquire(2)
    assert permit.cancel() is True
    assert both.limit.peek().remaining == 3


def test_a_full_queue_has_no_place_and_says_when():
    """A leaky bucket whose queue is full refuses a reservation and says when the queue has room."""
    clock = ManualClock()
    limit = sw.LeakyBucket(10, capacity=3, clock=clock)
    assert [limit.reserve().wait for _ in range(3)] == [0.0, 0.1, 0.2]
    with pytest.raises(sw.RateLimited, match=r"^leaky_bucket is at its limit; retry in 0\.1 s$") as refused:
        limit.reserve()
    assert (refused.value.retry_after, refused.value.policy, refused.value.key) == (0.1, "leaky_bucket", None)
    clock.set_ns(99_999_999)
    with pytest.raises(sw.RateLimited):
        limit.reserve()
    clock.set_ns(100_000_000)
    assert limit.reserve().wait == 0.2


def test_no_place_is_given_more_than_a_year_ahead():
    """A reservation that would be due in over a year is refused with the exact time of its place."""
    limit = sw.TokenBucket(1, per=40_000_000, burst=1, clock=ManualClock())
    limit.acquire()
    with pytest.raises(sw.RateLimited, match=r"^token_bucket is at its limit; retry in 4e\+07 s$"):
        limit.reserve()


def test_a_permit_shows_itself():
    """The repr of a permit names its limit, cost and wait."""
    limit, _ = bucket(name="mail")
    limit.acquire(2)
    assert repr(limit.reserve(2)) == "<Permit of 'mail' cost=2 wait=0.2>"


def test_a_permit_keeps_its_limit_alive():
    """A permit works when nobody else holds the limit any more."""
    permit = bucket()[0].reserve()
    assert permit.wait == 0.0
    assert permit.cancel()


def test_the_wait_of_a_refusal_is_in_its_message():
    """The message of RateLimited rounds to six digits; its field is exact."""
    limit = sw.LeakyBucket(3, capacity=1, clock=ManualClock(), name="third")
    limit.acquire()
    with pytest.raises(sw.RateLimited, match=f"^{re.escape('third is at its limit; retry in 0.333333 s')}$") as refused:
        limit.reserve()
    assert refused.value.retry_after == 0.333333334


def test_a_cancel_after_the_clock_was_set_back_gives_back_no_more_than_time_had_left():
    """What had passed while the clock stood later has passed: a cancelled place is not returned a second time."""
    clock = ManualClock()
    limit = sw.TokenBucket(1, burst=20, clock=clock)
    first = limit.reserve()
    clock.advance(10)
    limit.acquire()
    clock.step_back(10)
    before = limit.peek().remaining
    assert first.cancel() is False
    assert limit.peek().remaining == before


def test_rates_of_one_period_are_limits_of_their_own_in_a_segment(segment_name):
    """Two rates a second keep two states, though they share a period."""
    limit = sw.Quota.parse("5/second; 3/second").limiter(shared=segment_name)
    assert [slot.name for slot in sw.Segment.attach(segment_name).describe()] == ["quota/3 per 1 s", "quota/5 per 1 s"]
    assert sum(limit.try_acquire() for _ in range(9)) == 3
