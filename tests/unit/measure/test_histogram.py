"""What a histogram promises to one caller; its laws are in tests/property."""

import gc
import inspect
import math
import re
import weakref

import numpy as np
import pytest

from seawall._core import bulk
from seawall._core import histogram as kernel
from seawall.errors import ConfigError, SegmentError
from seawall.measure import Counter, Histogram
from seawall.memory import Segment

NAN, INF = float("nan"), float("inf")


def exactly(message):
    """A pattern for the full message."""
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digits": 9}, "digits must be 1 to 5, got 9; 3 digits keep every percentile within 0.1 %"),
        ({"digits": True}, "digits must be 1 to 5, got True; 3 digits keep every percentile within 0.1 %"),
        ({"digits": 2.5}, "digits must be 1 to 5, got 2.5; 3 digits keep every percentile within 0.1 %"),
        ({"lowest": 0}, "lowest must be a number from 1e-9 to 4.6e9, got 0; 1e-6 tells microseconds apart"),
        ({"lowest": "1"}, "lowest must be a number from 1e-9 to 4.6e9, got '1'; 1e-6 tells microseconds apart"),
        ({"highest": INF}, "highest must be a number from 1e-9 to 4.6e9, got inf; 3600.0 records up to an hour"),
        (
            {"highest": 5e9},
            "highest must be a number from 1e-9 to 4.6e9, got 5000000000.0; 3600.0 records up to an hour",
        ),
        (
            {"lowest": 1.0, "highest": 1.5},
            "highest must be at least twice lowest, 2.0, got 1.5; larger values are clipped to it",
        ),
        (
            {"lowest": 1e6, "highest": 1e9, "digits": 5},
            "lowest must leave 62 bits room for 5 digits, got 1000000.0; lower it or ask for fewer digits",
        ),
        ({"on_conflict": "merge"}, "on_conflict must be 'error' or 'adopt', got 'merge'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    """An option that can never work is a ConfigError with the value, the range and the way out."""
    with pytest.raises(ConfigError, match=exactly(message)):
        Histogram(**options)


def test_it_shows_its_options():
    """lowest, highest and digits read back as given."""
    histogram = Histogram(2e-6, 60.0, 2)
    assert (histogram.lowest, histogram.highest, histogram.digits) == (2e-6, 60.0, 2)


def test_an_empty_histogram_has_no_values_to_speak_of():
    """Empty, count and sum are 0, and whatever needs a value is nan."""
    empty = Histogram()
    assert (empty.count, empty.sum, empty.clipped) == (0, 0.0, 0)
    unknown = [empty.min, empty.max, empty.mean, empty.stddev, empty.percentile(50), *empty.percentiles([0, 100])]
    assert all(math.isnan(answer) for answer in unknown)


def test_statistics_of_a_few_values():
    """Sum, mean and extremes are exact; the percentiles lie within a bucket."""
    histogram = Histogram()
    for value in (0.010, 0.020, 0.030, 2.0):
        histogram.record(value)
    histogram.record(3)
    assert (histogram.count, histogram.min, histogram.max, histogram.sum) == (5, 0.010, 3.0, 5.06)
    assert histogram.mean == 1.012
    assert histogram.percentile(100) == 3.0
    assert histogram.percentile(0) == 0.010
    assert histogram.percentile(60) == pytest.approx(0.030, rel=1e-3)


def test_a_sum_beyond_64_bits_of_nanoseconds_is_exact():
    """Large quantities do not wrap: the sum of billions of units many times over stays exact."""
    histogram = Histogram(1.0, 4e9, 1)
    histogram.record_many(np.full(100, 4e9))
    assert histogram.sum == 4e11
    assert histogram.mean == 4e9


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1e-9, ValueError, "seconds must be finite and not negative, got -1e-09; count failures apart from durations"),
        (NAN, ValueError, "seconds must be finite and not negative, got nan; count failures apart from durations"),
        (INF, ValueError, "seconds must be finite and not negative, got inf; count failures apart from durations"),
        (
            -(10**400),
            ValueError,
            "seconds must be finite and not negative, got -inf; count failures apart from durations",
        ),
        (True, TypeError, "seconds must be a number, got True; a duration is a float in seconds"),
        (None, TypeError, "seconds must be a number, got None; a duration is a float in seconds"),
    ],
)
def test_a_value_that_cannot_be_recorded_is_refused(value, error, message):
    """Negative, infinite and NaN values, flags and non-numbers are errors, and nothing is recorded."""
    histogram = Histogram()
    with pytest.raises(error, match=exactly(message)):
        histogram.record(value)
    with pytest.raises(error, match=exactly(message)):
        histogram.record_corrected(value, 1.0)
    with pytest.raises(error, match=exactly(message.replace("seconds", "expected_interval", 1))):
        histogram.record_corrected(1.0, value)
    assert histogram._summary() == (0, None, None, 0)
    assert histogram.count == 0


def test_a_value_above_highest_counts_as_highest_and_is_seen():
    """A value above highest is clipped, counted, and reported in clipped and the repr."""
    histogram = Histogram(highest=1.0)
    for value in (0.5, 1.0, 1e300):
        histogram.record(value)
    assert (histogram.count, histogram.clipped, histogram.max, histogram.sum) == (3, 1, 1.0, 2.5)
    assert repr(histogram) == (
        "Histogram(lowest=1e-06, highest=1.0, digits=3, count=3, p50=1.0, p99=1.0, max=1.0, clipped=1)"
    )


def test_repr_of_an_empty_histogram_has_its_options():
    """A histogram without values shows its options and a count of 0."""
    assert repr(Histogram()) == "Histogram(lowest=1e-06, highest=3600.0, digits=3, count=0)"


@pytest.mark.parametrize(
    ("percent", "error", "message"),
    [
        (100.1, ValueError, "percent must be 0 to 100, got 100.1; the 99th percentile is 99, not 0.99"),
        (-1, ValueError, "percent must be 0 to 100, got -1; the 99th percentile is 99, not 0.99"),
        (NAN, ValueError, "percent must be 0 to 100, got nan; the 99th percentile is 99, not 0.99"),
        ("p99", TypeError, "percent must be a number from 0 to 100, got 'p99'"),
        (True, TypeError, "percent must be a number from 0 to 100, got True"),
    ],
)
def test_a_percent_out_of_range_is_refused(percent, error, message):
    """A percentile is asked for by a number from 0 to 100, alone or in a list."""
    histogram = Histogram()
    with pytest.raises(error, match=exactly(message)):
        histogram.percentile(percent)
    with pytest.raises(error, match=exactly(message)):
        histogram.percentiles([50, percent])


def test_a_percentile_does_not_skip_a_rank_by_rounding():
    """Percents whose product with the count is whole in decimals answer that rank, for every count up to 1000."""
    histogram = Histogram(1e-9, 1e-5, 5)
    for count in range(1, 1001):
        histogram.record(count * 1e-9)
        for tenths in (1, 290, 570, 999):
            rank = max(1, -(-tenths * count // 1000))
            assert round(histogram.percentile(tenths / 10) * 1e9) == rank


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize("bad", [-1.0, NAN, INF])
def test_an_array_with_one_bad_value_changes_nothing(size, bad):
    """An array is recorded as a whole or not at all; the message names the first bad value and where it is."""
    histogram = Histogram()
    values = np.full(size, 0.1)
    values[[size - 3, size - 1]] = bad
    message = f"values must be finite and not negative, got {bad} at index {size - 3}; nothing was recorded"
    with pytest.raises(ValueError, match=exactly(message)):
        histogram.record_many(values)
    assert histogram.count == 0
    assert histogram._summary() == (0, None, None, 0)


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3], (1.0, 2.0, 3.0), np.float32([1, 2, 3]), np.uint8([1, 2, 3]), np.arange(1.0, 7.0)[::2] / 2 + 0.5],
    ids=["list", "tuple", "float32", "uint8", "strided"],
)
def test_arrays_and_lists_of_any_real_numbers_are_recorded(values):
    """Lists, other dtypes and strided arrays are converted."""
    histogram = Histogram()
    histogram.record_many(values)
    assert (histogram.count, histogram.min, histogram.max, histogram.sum) == (3, 1.0, 3.0, 6.0)


def test_no_values_are_nothing_to_record():
    """An empty list changes nothing."""
    histogram = Histogram()
    histogram.record_many([])
    assert histogram._summary() == (0, None, None, 0)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0]], ValueError, "values must have one dimension, got shape (1, 1); values.ravel() has one"),
        (1.0, ValueError, "values must have one dimension, got shape (); values.ravel() has one"),
        ([True], TypeError, "values must be real numbers, got an array of bool; durations are floats"),
        (["1"], TypeError, "values must be real numbers, got an array of <U1; durations are floats"),
        ([1j], TypeError, "values must be real numbers, got an array of complex128; durations are floats"),
    ],
)
def test_an_array_that_is_no_row_of_numbers_is_refused(values, error, message):
    """Wrong shapes and dtypes are errors that name them."""
    with pytest.raises(error, match=exactly(message)):
        Histogram().record_many(values)


def test_a_tiny_interval_is_corrected_at_once():
    """Correcting an hour by a nanosecond counts 3.6e12 values without counting them one by one."""
    histogram = Histogram()
    histogram.record_corrected(3600.0, 1e-9)
    assert histogram.count == 3_600_000_000_000
    assert histogram.sum == 3600 * 3_600_000_000_001 / 2
    assert histogram.min == 1e-9


def test_an_interval_of_zero_corrects_nothing():
    """With no expected interval, only the value itself is recorded."""
    histogram = Histogram()
    histogram.record_corrected(1.0, 0.0)
    assert histogram.count == 1


def test_merging_what_does_not_fit_is_refused():
    """A histogram whose largest value is above this one's highest is an error, and nothing is added."""
    small, large = Histogram(highest=1.0), Histogram()
    large.record(2.0)
    message = "cannot merge a largest value of 2.0 into a histogram with highest=1.0; make it with highest=3600.0"
    with pytest.raises(ValueError, match=exactly(message)):
        small.merge(large)
    assert small.count == 0
    with pytest.raises(
        TypeError, match=exactly("other must be a Histogram, got [1.0]; record_many takes plain values")
    ):
        small.merge([1.0])


def test_merging_adds_what_was_clipped():
    """Clipped values stay visible in the merged histogram."""
    one, other = Histogram(highest=1.0), Histogram(highest=1.0)
    other.record(5.0)
    one.merge(other)
    assert (one.count, one.clipped) == (1, 1)


def test_equality_is_layout_and_counts():
    """Histograms are equal where the layout and every bucket are; they cannot be hashed."""
    one, same, other = Histogram(), Histogram(), Histogram(digits=2)
    assert one == same
    assert one != other
    assert one != "histogram"
    one.record(1.0)
    assert one != same
    with pytest.raises(TypeError, match=exactly("unhashable type: 'Histogram'")):
        hash(one)


def test_counts_are_a_copy_and_live_counts_a_view():
    """A copy stays, a live view follows the records and cannot be written, and it keeps the histogram alive."""
    histogram = Histogram()
    copied, live = histogram.counts(), histogram.counts(live=True)
    histogram.record(1.0)
    assert (copied.sum(), live.sum()) == (0, 1)
    with pytest.raises(ValueError, match="read-only"):
        live[0] = 1
    alive = weakref.ref(histogram)
    del histogram
    gc.collect()
    assert alive() is not None
    assert live.sum() == 1
    del live
    gc.collect()
    assert alive() is None


def test_drawn_buckets_of_known_values():
    """Ten equal buckets between the extremes count what lies in them."""
    histogram = Histogram()
    histogram.record_many(np.arange(1, 101) / 100)
    edges, counts = histogram.buckets(10)
    assert edges == pytest.approx(np.linspace(0.01, 1.0, 11))
    assert counts.tolist() == [10] * 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be a whole number from 1, got 0; 10 to 50 draw well"),
        ({"n": True}, "n must be a whole number from 1, got True; 10 to 50 draw well"),
        ({"scale": "sqrt"}, "scale must be 'linear' or 'log', got 'sqrt'"),
    ],
)
def test_buckets_that_cannot_be_drawn_are_refused(options, message):
    """The number and scale of drawn buckets are checked."""
    with pytest.raises(ValueError, match=exactly(message)):
        Histogram().buckets(**options)


def test_the_percentile_text_is_line_by_line_that_of_hdrhistogram():
    """to_hgrm prints header, ticks that close in on 100 %, and footer, in milliseconds."""
    histogram = Histogram()
    histogram.record_many([0.001] * 8 + [0.002, 0.004])
    assert histogram.to_hgrm(ticks_per_half_distance=2) == (
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "       1.000 0.000000000000          8           1.00\n"
        "       1.000 0.250000000000          8           1.33\n"
        "       1.000 0.500000000000          8           2.00\n"
        "       1.000 0.625000000000          8           2.67\n"
        "       1.000 0.750000000000          8           4.00\n"
        "       2.001 0.812500000000          9           5.33\n"
        "       2.001 0.875000000000          9           8.00\n"
        "       4.002 0.906250000000         10          10.67\n"
        "       4.002 1.000000000000         10\n"
        "#[Mean    =        1.400, StdDeviation   =        0.917]\n"
        "#[Max     =        4.002, Total count    =           10]\n"
        "#[Buckets =           23, SubBuckets     =         2048]\n"
    )


def test_the_percentile_text_of_nothing_has_header_and_footer():
    """An empty histogram prints no percentile lines and zeros below."""
    assert Histogram().to_hgrm() == (
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
        "#[Max     =        0.000, Total count    =            0]\n"
        "#[Buckets =           23, SubBuckets     =         2048]\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ticks_per_half_distance": 0}, "ticks_per_half_distance must be a whole number from 1, got 0; 5 is usual"),
        ({"unit": 0.0}, "unit must be positive and finite, got 0.0; 1e-3 prints milliseconds"),
    ],
)
def test_percentile_text_options_are_checked(options, message):
    """Ticks and unit out of range are errors."""
    with pytest.raises(ValueError, match=exactly(message)):
        Histogram().to_hgrm(**options)


def test_histograms_of_one_slot_are_one_histogram(tmp_path):
    """Histograms that name the same segment and slot record into one; a swap empties it for all."""
    segment = Segment(str(tmp_path / "s"), size=1 << 20)
    one, same = Histogram(shared=segment), Histogram(shared=segment)
    one.record(1.0)
    same.record(2.0)
    taken = one.swap()
    assert (taken.count, taken.min, taken.max) == (2, 1.0, 2.0)
    assert same.count == 0


def test_a_slot_of_another_layout_is_refused_or_adopted(tmp_path):
    """A slot keeps its layout: asking for another is an error naming both, unless it is to be adopted."""
    segment = Segment(str(tmp_path / "s"), size=1 << 20)
    Histogram(digits=2, shared=segment).record(1.0)
    message = (
        "histogram 'histogram' of the segment has lowest=1e-06, highest=3600.0, digits=2, "
        "asked for were lowest=1e-06, highest=3600.0, digits=3; "
        "ask for the same, choose another name, or pass on_conflict='adopt'"
    )
    with pytest.raises(ConfigError, match=exactly(message)):
        Histogram(shared=segment)
    adopted = Histogram(shared=segment, on_conflict="adopt")
    assert (adopted.digits, adopted.count) == (2, 1)


def test_a_slot_of_another_kind_is_refused(tmp_path):
    """The slot of a counter cannot be opened as a histogram."""
    segment = Segment(str(tmp_path / "s"), size=1 << 20)
    Counter(shared=segment, name="calls")
    with pytest.raises(SegmentError, match=r"holds a counter, not a histogram; choose another name$"):
        Histogram(shared=segment, name="calls")


def test_the_bulk_module_takes_histograms_only():
    """A capsule of another name is refused, so no other pointer can be taken for a histogram."""
    datetime_capsule = inspect.getattr_static(__import__("_datetime"), "datetime_CAPI")
    with pytest.raises(ValueError, match="PyCapsule_GetPointer called with incorrect name"):
        bulk.counts(datetime_capsule)


def test_the_kernel_refuses_layouts_that_do_not_fit_its_arithmetic():
    """Whatever comes past the face's checks, such as a log, cannot lay out what 64 bits do not hold."""
    with pytest.raises(ValueError, match=exactly("no layout has lowest=5, highest=9, digits=3")):
        kernel.Histogram(5, 9, 3)


def test_the_calls_of_every_request_are_the_classes_own():
    """The calls record and inc are descriptors of the public class itself, or they would not be specialised."""
    assert vars(Histogram)["record"].__objclass__ is Histogram
    assert vars(Counter)["inc"].__objclass__ is Counter
