"""Durations as people write them, as whole nanoseconds."""

import re
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.clock import to_ns
from seawall.errors import ConfigError


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (1, 1_000_000_000),
        (0.1, 100_000_000),
        (1e-9, 1),
        (1.0000000004, 1_000_000_000),
        (123_456.789_012_345, 123_456_789_012_345),
        (timedelta(days=1, microseconds=1), 86_400_000_001_000),
        (np.float64(0.3), 300_000_000),
        (288_230_376, 288_230_376_000_000_000),
    ],
)
def test_a_duration_is_what_its_decimals_say(value, ns):
    """A float means its shortest decimal, rounded to a nanosecond; a timedelta is exact."""
    assert to_ns(value, "wait") == ns


@given(st.integers(1, 2**50))
def test_nanoseconds_survive_the_way_through_seconds(ns):
    """Whatever was a whole number of nanoseconds is that again."""
    assert to_ns(ns / 1e9, "wait") == ns


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "wait must be 1 ns to 2.8823e+08 s, got 0"),
        (-1, "wait must be 1 ns to 2.8823e+08 s, got -1"),
        (4e-10, "wait must be 1 ns to 2.8823e+08 s, got 4e-10"),
        (float("nan"), "wait must be 1 ns to 2.8823e+08 s, got nan"),
        (float("inf"), "wait must be 1 ns to 2.8823e+08 s, got inf"),
        (float("-inf"), "wait must be 1 ns to 2.8823e+08 s, got -inf"),
        (1e300, "wait must be 1 ns to 2.8823e+08 s, got 1e+300"),
        (10**400, f"wait must be 1 ns to 2.8823e+08 s, got {10**400}"),
        (timedelta.max, f"wait must be 1 ns to 2.8823e+08 s, got {timedelta.max}"),
        (True, "wait must be seconds (a number) or a timedelta, got True"),
        ("1s", "wait must be seconds (a number) or a timedelta, got '1s'"),
        (None, "wait must be seconds (a number) or a timedelta, got None"),
        (1j, "wait must be seconds (a number) or a timedelta, got 1j"),
    ],
)
def test_what_is_no_duration_is_an_error_that_names_it(value, message):
    """Out of range, not finite or not a length of time."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        to_ns(value, "wait")


def test_the_range_is_the_callers():
    """least_ns and most_ns bound what is accepted, and are shown."""
    assert to_ns(0, "nap", least_ns=0) == 0
    assert to_ns(2, "nap", most_ns=2_000_000_000) == 2_000_000_000
    with pytest.raises(ConfigError, match=r"^nap must be 1e-06 s to 2 s, got 3$"):
        to_ns(3, "nap", least_ns=1000, most_ns=2_000_000_000)
