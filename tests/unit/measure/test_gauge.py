"""What a gauge promises to one caller."""

import re

import pytest

from seawall.measure import Gauge
from seawall.memory import Segment

HUGE = 1.5e308


def test_it_starts_at_zero_is_set_and_moves():
    """A new gauge is 0.0; set replaces, inc and dec move, by one where nothing is said."""
    gauge = Gauge()
    assert gauge.value == 0.0
    gauge.set(10)
    gauge.inc()
    gauge.inc(0.5)
    gauge.dec()
    gauge.dec(20)
    assert gauge.value == -9.5


@pytest.mark.parametrize("call", ["set", "inc", "dec"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (float("nan"), ValueError, "must be a finite number, got nan; a gauge keeps its last value instead"),
        (float("-inf"), ValueError, "must be a finite number, got -inf; a gauge keeps its last value instead"),
        (10**400, ValueError, "must be a finite number, got an int beyond the largest float, 1.8e308"),
        (True, TypeError, "must be a finite number, got True; a flag is set as 1 or 0"),
        ("3", TypeError, "must be a finite number, got '3'; a flag is set as 1 or 0"),
    ],
)
def test_what_is_no_finite_number_is_refused(call, x, error, message):
    """NaN, infinities, flags and text are errors that show the value, and the gauge stays."""
    gauge = Gauge()
    gauge.set(4)
    name = "x" if call == "set" else "n"
    with pytest.raises(error, match=f"^{re.escape(f'{name} {message}')}$"):
        getattr(gauge, call)(x)
    assert gauge.value == 4.0


def test_a_move_beyond_the_largest_float_is_refused():
    """A sum that would be infinite is an error, and the gauge stays."""
    gauge = Gauge()
    gauge.set(HUGE)
    message = "1.5e+308 + 1.5e+308 is beyond the largest float, 1.8e308; the gauge keeps its value"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        gauge.inc(HUGE)
    assert gauge.value == HUGE


def test_repr_shows_the_value():
    """A gauge shows its value."""
    gauge = Gauge()
    gauge.set(2)
    assert repr(gauge) == "Gauge(value=2.0)"


def test_gauges_of_one_slot_are_one_gauge(tmp_path):
    """Gauges that name the same segment and slot share a value."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    one, same = Gauge(shared=segment), Gauge(shared=segment)
    one.set(2)
    same.inc(3)
    assert one.value == 5.0
