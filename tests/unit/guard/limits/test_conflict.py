"""A slot that exists with another configuration."""

import re

import pytest

import seawall as sw
from seawall.clock import ManualClock


def bucket(segment_name, rate, burst, **options):
    """A shared bucket on a clock that stands."""
    return sw.TokenBucket(rate, burst=burst, shared=segment_name, clock=ManualClock(), **options)


def test_another_configuration_is_an_error_that_shows_both(segment_name):
    """By default nobody changes or follows a configuration unasked; the slot stays as it was."""
    old = bucket(segment_name, 10, 5)
    old.try_acquire(2)
    message = (
        f"token_bucket 'token_bucket' in segment {old.segment.path} is configured as 10 per second, at most 5, "
        "this one asks for 20 per second, at most 5; give on_conflict='adopt' to follow the segment, 'replace' to "
        "change it for everybody, or another name"
    )
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        bucket(segment_name, 20, 5)
    assert (old.stats().settings, old.peek().remaining) == ("10 per second, at most 5", 3)


def test_the_same_configuration_is_no_conflict(segment_name):
    """The same limit said otherwise is the same limit."""
    bucket(segment_name, 10, 5).try_acquire(2)
    assert sw.TokenBucket(600, per=60, burst=5, shared=segment_name, clock=ManualClock()).peek().remaining == 3


def test_adopt_follows_the_segment(segment_name):
    """The newcomer uses the configuration it finds."""
    bucket(segment_name, 10, 5)
    late = bucket(segment_name, 20, 8, on_conflict="adopt")
    assert (late.limit, late.stats().settings) == (5, "10 per second, at most 5")


def test_replace_changes_it_for_everybody_and_forgets_nothing(segment_name):
    """Those who were there follow with their next call; what was taken still counts."""
    old = bucket(segment_name, 10, 5)
    old.try_acquire(2)
    new = bucket(segment_name, 20, 8, on_conflict="replace")
    assert old.limit == new.limit == 8
    assert old.peek().remaining == new.peek().remaining == 6


def test_another_name_is_another_limit(segment_name):
    """Slots of one segment do not know each other."""
    one, other = bucket(segment_name, 10, 5), bucket(segment_name, 20, 8, name="other")
    one.try_acquire(5)
    assert (one.peek().remaining, other.peek().remaining) == (0, 8)


def test_on_conflict_knows_three_words():
    """Anything else is an error, for shared and private limits."""
    message = "on_conflict must be 'error', 'adopt' or 'replace', got 'merge'"
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        sw.TokenBucket(1, on_conflict="merge")
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        sw.TokenBucket(1).keyed(on_conflict="merge")


def test_a_slot_of_another_kind_is_an_error(segment_name):
    """A name that holds another algorithm, or a counter, cannot hold this limit."""
    path = bucket(segment_name, 10, 5, name="slot").segment.path
    message = f"slot 'slot' of segment {path} holds a token_bucket, not a leaky_bucket; choose another name"
    with pytest.raises(sw.SegmentError, match=f"^{re.escape(message)}$"):
        sw.LeakyBucket(10, capacity=5, shared=segment_name, name="slot")
    sw.Counter(shared=segment_name, name="count")
    message = f"slot 'count' of segment {path} holds a counter, not a fixed_window; choose another name"
    with pytest.raises(sw.SegmentError, match=f"^{re.escape(message)}$"):
        sw.FixedWindow(10, window=1, shared=segment_name, name="count")


def test_a_keyed_table_of_another_size_is_an_error_unless_adopted(segment_name):
    """max_keys is part of the agreement; adopt follows the table that is there."""
    limit = bucket(segment_name, 10, 5)
    first = limit.keyed(100)
    for options in ({}, {"on_conflict": "replace"}):
        message = (
            f"keyed token_bucket 'token_bucket/keyed' in segment {limit.segment.path} has room for 101 keys, "
            "this one asks for 1000; give on_conflict='adopt' to follow the segment, or another name"
        )
        with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
            limit.keyed(1000, **options)
    late = limit.keyed(1000, on_conflict="adopt")
    assert late.table_bytes == first.table_bytes
    assert late.try_acquire("x", 5)
    assert not first.try_acquire("x")


def test_a_keyed_limit_of_another_rate_conflicts_like_a_single_one(segment_name):
    """error, adopt and replace mean the same by key."""
    first = bucket(segment_name, 10, 5).keyed(100)
    first.try_acquire("x", 2)
    other = bucket(segment_name, 20, 8, name="other")
    message = (
        f"token_bucket 'token_bucket/keyed' in segment {other.segment.path} is configured as 10 per second, at most 5, "
        "this one asks for 20 per second, at most 8; give on_conflict='adopt' to follow the segment, 'replace' to "
        "change it for everybody, or another name"
    )
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        other.keyed(100, name="token_bucket/keyed")
    assert other.keyed(100, name="token_bucket/keyed", on_conflict="adopt").limit == 5
    assert other.keyed(100, name="token_bucket/keyed", on_conflict="replace").peek("x").remaining == 6
    assert first.limit == 8
