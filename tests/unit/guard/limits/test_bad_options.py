"""Options that can never work, with their whole messages."""

import re
from datetime import timedelta

import numpy as np
import pytest

import seawall as sw
from seawall.clock import Clock, ManualClock
from seawall.guard.limits import Keyed, Permit

MOST = 2**60 - 1
LONGEST = "2.8823e+08 s"
OUT_OF_RANGE = (
    "a rate must be between one call in nine years and 1000000000 calls a second, got {} per {}; "
    "use larger units of cost"
)
NOT_ABOVE_ZERO = "rate must be above 0 and finite, got {}; to refuse everything open a breaker by hand"


def refused(message, make, *args, **options):
    """Whether that raises ConfigError with exactly that message."""
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        make(*args, **options)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (0, NOT_ABOVE_ZERO.format(0)),
        (-1, NOT_ABOVE_ZERO.format(-1)),
        (0.0, NOT_ABOVE_ZERO.format(0.0)),
        (float("nan"), NOT_ABOVE_ZERO.format("nan")),
        (float("inf"), NOT_ABOVE_ZERO.format("inf")),
        (float("-inf"), NOT_ABOVE_ZERO.format("-inf")),
        (True, "rate must be a number of calls, got True"),
        ("10", "rate must be a number of calls, got '10'"),
        (None, "rate must be a number of calls, got None"),
        (1e308, OUT_OF_RANGE.format("1e+308", 1.0)),
        (10**400, OUT_OF_RANGE.format(10**400, 1.0)),
        (1_000_000_001, OUT_OF_RANGE.format(1_000_000_001, 1.0)),
        (5e-324, OUT_OF_RANGE.format(5e-324, 1.0)),
        (1e-9, OUT_OF_RANGE.format(1e-09, 1.0)),
    ],
)
def test_a_rate_of_no_meaning(rate, message):
    """Zero, negative, not finite, not a number, or out of range."""
    refused(message, sw.TokenBucket, rate)
    refused(message, sw.LeakyBucket, rate, capacity=5)


@pytest.mark.parametrize(
    ("per", "message"),
    [
        (0, f"per must be 1 ns to {LONGEST}, got 0"),
        (-1.5, f"per must be 1 ns to {LONGEST}, got -1.5"),
        (1e-10, f"per must be 1 ns to {LONGEST}, got 1e-10"),
        (float("nan"), f"per must be 1 ns to {LONGEST}, got nan"),
        (float("inf"), f"per must be 1 ns to {LONGEST}, got inf"),
        (1e9, f"per must be 1 ns to {LONGEST}, got 1000000000.0"),
        (10**400, f"per must be 1 ns to {LONGEST}, got {10**400}"),
        (timedelta(0), f"per must be 1 ns to {LONGEST}, got 0:00:00"),
        (timedelta(days=-1), f"per must be 1 ns to {LONGEST}, got -1 day, 0:00:00"),
        (timedelta.max, f"per must be 1 ns to {LONGEST}, got {timedelta.max}"),
        (True, "per must be seconds (a number) or a timedelta, got True"),
        ("1", "per must be seconds (a number) or a timedelta, got '1'"),
        (None, "per must be seconds (a number) or a timedelta, got None"),
    ],
)
def test_a_period_of_no_meaning(per, message):
    """A period must be a length of time up to nine years."""
    refused(message, sw.TokenBucket, 1, per=per)
    refused(message, sw.LeakyBucket, 1, per=per, capacity=5)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (0, f"window must be 1e-06 s to {LONGEST}, got 0"),
        (-1, f"window must be 1e-06 s to {LONGEST}, got -1"),
        (1e-7, f"window must be 1e-06 s to {LONGEST}, got 1e-07"),
        (float("nan"), f"window must be 1e-06 s to {LONGEST}, got nan"),
        (float("inf"), f"window must be 1e-06 s to {LONGEST}, got inf"),
        (1e9, f"window must be 1e-06 s to {LONGEST}, got 1000000000.0"),
        (False, "window must be seconds (a number) or a timedelta, got False"),
        ("1m", "window must be seconds (a number) or a timedelta, got '1m'"),
    ],
)
@pytest.mark.parametrize("kind", [sw.FixedWindow, sw.SlidingWindow, sw.SlidingLog])
def test_a_window_of_no_meaning(kind, window, message):
    """A window must be a length of time from a microsecond to nine years."""
    refused(message, kind, 5, window=window)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1 to {most}, got 0"),
        (-3, "1 to {most}, got -3"),
        (2**70, f"1 to {{most}}, got {2**70}"),
        (1e300, f"1 to {{most}}, got {int(1e300)}"),
        (2.5, "a whole number from 1 to {most}, got 2.5"),
        (float("nan"), "a whole number from 1 to {most}, got nan"),
        (float("inf"), "a whole number from 1 to {most}, got inf"),
        (True, "a whole number from 1 to {most}, got True"),
        ("5", "a whole number from 1 to {most}, got '5'"),
        ([5], "a whole number from 1 to {most}, got [5]"),
    ],
)
def test_a_number_of_calls_of_no_meaning(value, text):
    """burst, capacity, limit, max_limit and max_keys are whole numbers from 1 up to what each can be."""
    for make, what, most in (
        (lambda v: sw.TokenBucket(1, burst=v), "burst", MOST),
        (lambda v: sw.LeakyBucket(1, capacity=v), "capacity", MOST),
        (lambda v: sw.FixedWindow(v, window=1), "limit", MOST),
        (lambda v: sw.SlidingWindow(v, window=1), "limit", MOST),
        (lambda v: sw.SlidingLog(v, window=1), "limit", 1 << 22),
        (lambda v: sw.SlidingLog(1, window=1, max_limit=v), "max_limit", 1 << 22),
        (lambda v: sw.TokenBucket(1).keyed(max_keys=v), "max_keys", 1 << 30),
    ):
        refused(f"{what} must be {text.format(most=most)}", make, value)


def test_a_capacity_must_be_given():
    """None is not a capacity."""
    refused(f"capacity must be a whole number from 1 to {MOST}, got None", sw.LeakyBucket, 1, capacity=None)


def test_max_limit_below_the_limit():
    """A log cannot hold less than its limit."""
    refused("max_limit must be at least the limit of 5, got 4", sw.SlidingLog, 5, window=1, max_limit=4)


def test_what_would_refill_for_more_than_nine_years():
    """Burst times period beyond the reach of positions in time."""
    message = "1000 at 1 per 1e+06 s would take more than nine years to refill; use a smaller limit or a higher rate"
    refused(message, sw.TokenBucket, 1, per=1_000_000, burst=1000)
    refused(message, sw.LeakyBucket, 1, per=1_000_000, capacity=1000)
    refused(
        f"{MOST} at 1 per 1e-09 s would take more than nine years to refill; use a smaller limit or a higher rate",
        sw.TokenBucket,
        1e9,
        burst=MOST,
    )


@pytest.mark.parametrize(
    ("kind", "window", "most"),
    [
        (sw.FixedWindow, 1, 4294967295),
        (sw.SlidingWindow, 1, 65535),
        (sw.SlidingWindow, 60, 524287),
        (sw.SlidingWindow, 3600, 4194303),
        (sw.SlidingWindow, 1e-6, 63),
    ],
)
def test_a_window_that_cannot_count_so_far(kind, window, most):
    """The largest limit of a window works, and one more is an error that names it."""
    assert kind(most, window=window, clock=ManualClock()).try_acquire(most)
    message = (
        f"a limit of {most + 1} in windows of {window:g} s is too large: at most {most}; "
        "use a longer window, count in larger units, or use a TokenBucket"
    )
    refused(message, kind, most + 1, window=window)


@pytest.mark.parametrize("name", ["", 5, "x" * 101, "ä" * 51, b"mail"])
def test_a_name_of_no_meaning(name):
    """A name is text of 1 to 100 bytes."""
    message = f"name must be a str of 1 to 100 bytes, got {name!r}"
    refused(message, sw.TokenBucket, 1, name=name)
    refused(message, sw.TokenBucket(1).keyed, name=name)


def test_a_slot_name_with_nul(segment_name):
    """A name with NUL cannot be a slot."""
    message = "slot names have 1 to 127 bytes of UTF-8 without NUL, got 'a\\x00b'"
    with pytest.raises(sw.SegmentError, match=f"^{re.escape(message)}$"):
        sw.TokenBucket(1, name="a\0b", shared=segment_name)


def test_a_clock_that_is_none():
    """Only seawall clocks are clocks."""
    refused("clock must be a seawall Clock (SystemClock or ManualClock), got 'now'", sw.TokenBucket, 1, clock="now")


def test_a_shared_limit_needs_a_clock_all_processes_read_alike(segment_name):
    """A clock of one's own making is not the same in other processes."""

    class Mine(Clock):
        def __repr__(self):
            return "Mine()"

    message = "a shared limit needs a SystemClock or ManualClock, got Mine()"
    refused(message, sw.TokenBucket, 1, clock=Mine(), shared=segment_name)


def test_shared_of_no_meaning():
    """It is a segment, its name or None."""
    refused("shared must be a Segment, its name or None, got 5", sw.TokenBucket, 1, shared=5)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: sw.TokenBucket(5, clock=ManualClock()), lambda one: one.reconfigure(0)),
        (lambda: sw.TokenBucket(5, clock=ManualClock()), lambda one: one.reconfigure(1, per=1e6, burst=1000)),
        (lambda: sw.LeakyBucket(5, capacity=5, clock=ManualClock()), lambda one: one.reconfigure(5, capacity=0)),
        (lambda: sw.FixedWindow(5, window=1, clock=ManualClock()), lambda one: one.reconfigure(5, window=0)),
        (lambda: sw.SlidingWindow(5, window=1, clock=ManualClock()), lambda one: one.reconfigure(65_536, window=1)),
        (lambda: sw.SlidingLog(5, window=1, clock=ManualClock()), lambda one: one.reconfigure(1000, window=1)),
    ],
)
def test_a_reconfigure_that_cannot_work_changes_nothing(make, change):
    """The limit, what it has counted and its settings stay."""
    limit = make()
    keyed = limit.keyed(10)
    for one, args in ((limit, ()), (keyed, ("x",))):
        one.try_acquire(*args)
        before = one.stats(), one.peek(*args)
        with pytest.raises(sw.ConfigError):
            change(one)
        assert (one.stats(), one.peek(*args)) == before


def test_numbers_of_numpy_are_numbers():
    """numpy.float64 is a float, whatever it shows itself as."""
    limit = sw.TokenBucket(np.float64(0.1), per=np.float64(0.7), burst=np.float64(3.0), clock=ManualClock())
    assert limit._config() == sw.TokenBucket(0.1, per=0.7, burst=3, clock=ManualClock())._config()


def test_a_limit_whose_init_was_not_called_says_so():
    """No half-made object crashes."""
    for kind, args in ((sw.TokenBucket, ()), (Keyed, ("x",))):
        one = kind.__new__(kind)
        for call in ("try_acquire", "check", "peek", "_admit_now", "stats", "_counts", "_live_keys", "_hash"):
            if hasattr(one, call) and (call != "stats" or kind is Keyed):
                with pytest.raises(TypeError, match=rf"^{kind.__name__}\.__init__ was not called$"):
                    getattr(one, call)(*(args if call not in ("stats", "_counts", "_live_keys") else ()))
    with pytest.raises(TypeError, match=r"^Keyed\.__init__ was not called$"):
        Keyed.__new__(Keyed).try_acquire_many(["x"])


def test_a_permit_of_nobody_says_so():
    """Permits come from reserve; one made by hand does not crash."""
    permit = Permit()
    assert permit.cancel() is False
    with pytest.raises(TypeError, match=r"^a Permit is made by reserve\(\)$"):
        _ = permit.wait
