"""Limits that cross to other processes."""

import copy
import multiprocessing
import pickle
import re
from concurrent.futures import ProcessPoolExecutor

import pytest
from tests.oracles.pairs import NAMES, pair

import seawall as sw
from seawall.clock import SystemClock


def shared(name, segment_name, **options):
    """Three at once, one an hour, in a segment, by the machine's clock."""
    common = {"shared": segment_name, **options}
    return {
        "token_bucket": lambda: sw.TokenBucket(1, per=3600, burst=3, **common),
        "leaky_bucket": lambda: sw.LeakyBucket(1, per=3600, capacity=3, **common),
        "fixed_window": lambda: sw.FixedWindow(3, window=100_000_000, **common),
        "sliding_window": lambda: sw.SlidingWindow(3, window=3600, **common),
        "sliding_log": lambda: sw.SlidingLog(3, window=3600, **common),
    }[name]()


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_limit_comes_back_as_the_same_limit(name, segment_name):
    """A pickled limit attaches to the state of the original, with its settings."""
    limit = shared(name, segment_name, shadow=False)
    limit.try_acquire()
    other = pickle.loads(pickle.dumps(limit))
    assert type(other) is type(limit)
    assert (other.name, other.limit, other.shadow, other._settings()) == (name, 3, False, limit._settings())
    assert isinstance(other.clock, SystemClock)
    most = 1 if name == "leaky_bucket" else 3
    assert sum(one.try_acquire() for one in (other, limit) * 5) == most - 1
    assert other.stats() == limit.stats()


def test_a_reconfigured_limit_comes_back_with_what_is_in_force(segment_name):
    """A pickle made before a change follows the change."""
    limit = sw.SlidingLog(3, window=3600, max_limit=100, shared=segment_name)
    old = pickle.dumps(limit)
    limit.reconfigure(50, window=1800)
    other = pickle.loads(old)
    assert other.limit == 50
    other.reconfigure(100, window=1800)
    assert limit.limit == 100


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_keyed_limit_comes_back_as_the_same_table(name, segment_name):
    """A pickled keyed limit attaches to the same table, whose keys hash alike."""
    keyed = shared(name, segment_name).keyed(max_keys=50)
    keyed.try_acquire("x")
    other = pickle.loads(pickle.dumps(keyed))
    most = 1 if name == "leaky_bucket" else 3
    assert sum(one.try_acquire("x") for one in (other, keyed) * 5) == most - 1
    assert other.stats() == keyed.stats()


@pytest.mark.parametrize("name", NAMES)
def test_a_private_limit_cannot_be_pickled(name):
    """A copy of private state would be a second limit: a TypeError says so and names the way out."""
    limit = pair(name).limit
    for one in (limit, limit.keyed(10)):
        message = (
            f"{type(one).__name__} {one.name!r} cannot be pickled: a copy in another process would be a second limit; "
            "give it shared='...' so that both use one"
        )
        for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
                duplicate(one)


def test_a_limit_on_a_manual_clock_cannot_be_pickled(segment_name):
    """A copy of a ManualClock would stand still."""
    limit = sw.TokenBucket(1, shared=segment_name, clock=sw.ManualClock())
    message = "a ManualClock cannot be pickled: a copy would stand still when this one is moved"
    with pytest.raises(TypeError, match=f"^{message}$"):
        pickle.dumps(limit)


def test_a_pickle_of_a_removed_segment_says_so(segment_name):
    """Unpickling needs the segment to exist."""
    text = pickle.dumps(sw.TokenBucket(1, shared=segment_name))
    path = sw.Segment.attach(segment_name).path
    sw.Segment.remove(segment_name)
    with pytest.raises(sw.SegmentError, match=f"^there is no segment at {path}; create it with a size first$"):
        pickle.loads(text)


def take(limit, *args):
    """One call in another process."""
    return limit.try_acquire(*args)


def refuse(limit, key):
    """A refusal raised in another process."""
    return limit.reserve(key)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_limits_and_refusals_pass_through_a_process_pool(segment_name, method):
    """Workers of a pool use the limit they are sent, and their RateLimited arrives with its fields."""
    limit = sw.TokenBucket(1, per=3600, burst=3, shared=segment_name)
    keyed = sw.LeakyBucket(1, per=3600, capacity=1, shared=segment_name, name="pace").keyed(10)
    assert keyed.try_acquire(("x", 1))
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        answers = list(pool.map(take, [limit] * 6))
        keyed_answers = list(pool.map(take, [keyed] * 2, [("x", 1), "y"]))
        with pytest.raises(
            sw.RateLimited, match=r"^pace/keyed is at its limit for key \('x', 1\); retry in "
        ) as refused:
            pool.submit(refuse, keyed, ("x", 1)).result()
    assert sum(answers) == 3
    assert keyed_answers == [False, True]
    assert (refused.value.policy, refused.value.key) == ("pace/keyed", ("x", 1))
    assert 0 < refused.value.retry_after <= 3600
    assert not limit.try_acquire()
