"""How far ahead a sliding log gives places: as far as its ring can remember."""

import pytest

import seawall as sw
from seawall.clock import ManualClock


def places(limit, cost=1):
    """Every place the log gives at this instant, and the refusal after them."""
    waits = []
    try:
        while True:
            waits.append(limit.reserve(cost).wait)
    except sw.RateLimited as refused:
        return waits, refused


def test_a_small_log_gives_places_for_as_many_calls_as_its_ring_holds():
    """A limit of five in a ring of 256 reserves fifty windows ahead, and says when there is room again."""
    clock = ManualClock()
    limit = sw.SlidingLog(5, window=1, clock=clock)
    waits, refused = places(limit)
    assert waits == [float(i // 5) for i in range(len(waits))]
    assert waits[-1] == 50.0
    assert (refused.retry_after, refused.policy) == (1.0, "sliding_log")
    clock.set_ns(999_999_999)
    with pytest.raises(sw.RateLimited):
        limit.reserve()
    clock.set_ns(1_000_000_000)
    assert limit.reserve().wait == 50.0


def test_a_large_log_gives_places_one_window_ahead():
    """A limit of 200 has room for this window and the next."""
    limit = sw.SlidingLog(200, window=1, clock=ManualClock())
    waits, _ = places(limit)
    assert (waits.count(0.0), waits.count(1.0), len(waits)) == (200, 200, 400)


def test_max_limit_makes_room_for_more_waiters():
    """The ring of a larger max_limit remembers farther ahead."""
    limit = sw.SlidingLog(200, window=1, max_limit=1000, clock=ManualClock())
    assert places(limit)[0][-1] == 9.0


def test_a_wait_beyond_the_ring_is_refused_at_once():
    """The wait raises, takes nothing, and try_acquire goes on as before."""
    clock = ManualClock()
    limit = sw.SlidingLog(200, window=1, clock=clock)
    places(limit)
    before = limit.peek()
    with pytest.raises(sw.RateLimited, match=r"^sliding_log is at its limit; retry in 1 s$"):
        limit.acquire()
    assert limit.peek() == before
    clock.advance(2)
    assert limit.try_acquire(200)


def test_whatever_was_reserved_is_within_the_limit_in_every_window():
    """Places of any cost and tries in between never exceed the limit in a window."""
    clock = ManualClock()
    limit = sw.SlidingLog(7, window=1, clock=clock)
    times = []
    for i in range(400):
        try:
            permit = limit.reserve(1 + i % 7)
        except sw.RateLimited:
            clock.advance(0.37)
        else:
            times += [permit.at_ns] * (1 + i % 7)
    times.sort()
    assert len(times) > 600
    assert all(later - earlier >= 1_000_000_000 for earlier, later in zip(times, times[7:], strict=False))


def test_a_cancelled_place_is_free_again_exactly():
    """Cancelling in the middle frees the window from that place on, for as many as it held."""
    clock = ManualClock()
    limit = sw.SlidingLog(5, window=1, clock=clock)
    first = limit.reserve(2)
    clock.advance(0.5)
    limit.acquire(3)
    assert limit.peek().retry_after == 0.5
    assert first.cancel()
    assert limit.peek().remaining == 2
    assert [limit.try_acquire() for _ in range(3)] == [True, True, False]
    assert limit.peek().retry_after == 1.0
