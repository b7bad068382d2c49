"""What limits say about themselves."""

import asyncio

import pytest
from tests.parking import settle

import seawall as sw
from seawall.clock import ManualClock


def test_stats_of_a_limit():
    """Names, settings, counts, what remains and who waits, as one frozen snapshot."""
    limit = sw.TokenBucket(10, per=60, burst=2, name="mail", clock=ManualClock())
    assert [limit.try_acquire() for _ in range(3)] == [True, True, False]
    stats = limit.stats()
    assert stats == ("mail", "0.166666667 per second, at most 2", 2, 1, 0, 0, None, False)
    assert stats._fields == ("name", "settings", "admitted", "refused", "remaining", "waiting", "shared", "shadow")
    with pytest.raises(AttributeError):
        stats.admitted = 3


def test_stats_of_a_shared_limit_count_everybody(segment_name):
    """Counts cover all users of the slot; the path of the segment stands beside them."""
    clock = ManualClock()
    one, other = (sw.TokenBucket(10, burst=2, shared=segment_name, clock=clock) for _ in range(2))
    one.try_acquire()
    other.try_acquire()
    other.try_acquire()
    assert one.stats() == other.stats()
    assert (one.stats().admitted, one.stats().refused, one.stats().shared) == (2, 1, one.segment.path)


async def test_a_waiter_is_counted_when_it_gets_its_place_and_not_when_it_leaves():
    """A place that is given back was never an admission."""
    limit = sw.TokenBucket(10, burst=1, clock=ManualClock())
    limit.acquire()
    task = asyncio.ensure_future(limit.acquire_async())
    await settle()
    assert limit.stats()[2:6] == (2, 0, 0, 1)
    task.cancel()
    await settle()
    assert limit.stats()[2:6] == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda **o: sw.TokenBucket(100, burst=20, **o),
            "<TokenBucket 'token_bucket': 100 per second, at most 20, 20 remaining>",
        ),
        (
            lambda **o: sw.LeakyBucket(1, per=60, capacity=7, name="pace", **o),
            "<LeakyBucket 'pace': 0.0166666667 per second, at most 7, 7 remaining>",
        ),
        (
            lambda **o: sw.FixedWindow(1000, window=3600, **o),
            "<FixedWindow 'fixed_window': 1000 per 3600 s, 1000 remaining>",
        ),
        (
            lambda **o: sw.SlidingWindow(5, window=0.25, shadow=True, **o),
            "<SlidingWindow 'sliding_window': 5 per 0.25 s, 5 remaining shadow>",
        ),
        (lambda **o: sw.SlidingLog(5, window=1, **o), "<SlidingLog 'sliding_log': 5 per 1 s, 5 remaining>"),
    ],
)
def test_a_limit_shows_its_settings_and_what_remains(make, text):
    """Repr says kind, name, settings and state."""
    assert repr(make(clock=ManualClock())) == text


def test_a_shared_limit_shows_where(segment_name):
    """Repr names the file of the segment, for keyed limits too."""
    limit = sw.TokenBucket(10, burst=2, shared=segment_name, clock=ManualClock())
    path = limit.segment.path
    assert repr(limit) == f"<TokenBucket 'token_bucket': 10 per second, at most 2, 2 remaining shared in {path}>"
    keyed = limit.keyed(100)
    assert repr(keyed) == (
        f"<Keyed 'token_bucket/keyed': 10 per second, at most 2, room for 100 keys shared in {path}>"
    )


def test_stats_of_a_keyed_limit():
    """Live keys, overflow, evictions and the size of the table stand beside the counts."""
    clock = ManualClock()
    keyed = sw.TokenBucket(10, burst=1, clock=clock).keyed(max_keys=1)
    answers = [keyed.try_acquire(key) for key in range(40)]
    stats = keyed.stats()
    assert stats.admitted == sum(answers) == stats.live
    assert 8 <= stats.live <= 16
    assert stats.refused == stats.overflowed == 40 - stats.live
    assert (stats.evicted, stats.max_keys, stats.bytes, stats.waiting) == (0, 1, keyed.table_bytes, 0)
    clock.advance(0.100_000_001)
    assert keyed.stats().live == 0
    assert all(keyed.try_acquire(100 + key) for key in range(8))
    assert keyed.stats().evicted + 16 - stats.live >= 8
    assert keyed.stats()._fields == (
        "name",
        "settings",
        "admitted",
        "refused",
        "overflowed",
        "evicted",
        "live",
        "max_keys",
        "bytes",
        "waiting",
        "shared",
        "shadow",
    )
