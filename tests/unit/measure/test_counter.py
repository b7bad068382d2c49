"""What a counter promises to one caller."""

import re

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure import Counter
from seawall.memory import Segment


def test_it_starts_at_zero_and_adds():
    """A new counter is 0; inc adds one by default, or what is given."""
    counter = Counter()
    assert counter.value == 0
    counter.inc()
    counter.inc(41)
    counter.inc(np.int32(8))
    counter.inc(0)
    assert counter.value == 50


def test_the_total_wraps_at_two_to_the_64():
    """Past 2**64 - 1 the total starts again at 0."""
    counter = Counter()
    for n in (2**63 - 1, 2**63 - 1, 3):
        counter.inc(n)
    assert counter.value == 1


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (-1, ValueError, "n must be 0 to 2**63 - 1, got -1; a counter only rises, a Gauge goes down too"),
        (
            -(2**70),
            ValueError,
            f"n must be 0 to 2**63 - 1, got {-(2**70)}; a counter only rises, a Gauge goes down too",
        ),
        (2**63, ValueError, f"n must be 0 to 2**63 - 1, got {2**63}; split it into several calls"),
        (True, TypeError, "n must be an int from 0 to 2**63 - 1, got True; a Gauge counts in fractions"),
        (1.0, TypeError, "n must be an int from 0 to 2**63 - 1, got 1.0; a Gauge counts in fractions"),
        ("1", TypeError, "n must be an int from 0 to 2**63 - 1, got '1'; a Gauge counts in fractions"),
    ],
)
def test_a_step_out_of_range_is_refused(n, error, message):
    """A step that is no whole number from 0 to 2**63 - 1 is an error that says so, and the total stays."""
    counter = Counter()
    counter.inc(7)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        counter.inc(n)
    assert counter.value == 7


def test_repr_shows_the_total():
    """A counter shows its value."""
    counter = Counter()
    counter.inc(3)
    assert repr(counter) == "Counter(value=3)"


def test_counters_of_one_slot_are_one_counter(tmp_path):
    """Counters that name the same segment and slot share a total; another slot has its own."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    one, same, other = (
        Counter(shared=segment),
        Counter(shared=str(tmp_path / "s")),
        Counter(shared=segment, name="other"),
    )
    one.inc(2)
    same.inc(3)
    assert (one.value, same.value, other.value) == (5, 5, 0)


def test_a_counter_keeps_its_segment_mapped(tmp_path):
    """A counter goes on working when nobody else holds the segment any more."""
    counter = Counter(shared=Segment(str(tmp_path / "s"), size=64 * 1024))
    counter.inc()
    assert counter.value == 1


def test_shared_must_be_a_segment_or_its_name():
    """Anything else given as shared is an error that shows it."""
    with pytest.raises(ConfigError, match=r"^shared must be a Segment, its name or None, got 3$"):
        Counter(shared=3)
