"""Laws of the histogram, checked against the slow oracle and against the hdrhistogram package."""

import copy
import itertools
import math
import pickle
import statistics

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.histogram import SlowHistogram

from seawall.measure import Histogram

NS = 1e9
durations_ns = st.one_of(st.integers(0, 5_000), st.integers(0, 10**9), st.integers(0, 4 * 10**12))
many_ns = st.lists(durations_ns, max_size=60)


@st.composite
def layouts(draw):
    """(lowest, highest, digits) in nanoseconds that can be laid out, with few enough buckets for the slow versions."""
    lowest = draw(st.integers(1, 10**6))
    highest = draw(st.integers(2 * lowest, 10**13))
    return lowest, highest, draw(st.integers(1, 3))


def made(layout, values=()):
    """A histogram that recorded values in nanoseconds."""
    histogram = Histogram(layout[0] / NS, layout[1] / NS, layout[2])
    for value in values:
        histogram.record(value / NS)
    return histogram


def slow(layout, values=()):
    """The oracle that recorded them."""
    histogram = SlowHistogram(*layout)
    for value in values:
        histogram.record(value)
    return histogram


@given(layouts(), many_ns)
def test_counts_extremes_and_sum_are_the_oracles(layout, values):
    """Every value is counted in the oracle's bucket, and count, sum, min, max and clipped are exact."""
    histogram, oracle = made(layout, values), slow(layout, values)
    counts = oracle.counts()
    assert histogram.counts().tolist()[: len(counts)] == counts
    assert histogram.count == sum(counts)
    assert histogram.clipped == oracle.clipped
    assert histogram.sum == sum(oracle.values) / NS
    if values:
        assert (histogram.min, histogram.max) == (oracle.values[0] / NS, oracle.values[-1] / NS)
        assert histogram.mean == pytest.approx(statistics.fmean(oracle.values) / NS)
        assert histogram.stddev == pytest.approx(statistics.pstdev(oracle.middles()) / NS, abs=1e-12)


@given(layouts(), many_ns.filter(bool), st.lists(st.floats(0, 100), max_size=5))
def test_a_percentile_is_the_nearest_rank_within_the_promised_error(layout, values, percents):
    """A percentile is the exact nearest-rank value, at most 1/10**digits or one unit larger, never beyond max."""
    histogram, oracle = made(layout, values), slow(layout, values)
    percents = [0, 50, 99.9, 100, *percents]
    answers = histogram.percentiles(percents)
    assert answers == [histogram.percentile(percent) for percent in percents]
    for percent, answer in zip(percents, answers, strict=True):
        exact = oracle.percentile(percent)
        assert oracle.index(round(answer * NS)) == oracle.index(exact)
        assert exact - 1e-3 <= answer * NS <= exact + max(exact / 10 ** layout[2], layout[0])
        assert histogram.min <= answer <= histogram.max


@given(layouts(), many_ns)
def test_buckets_are_those_of_the_hdrhistogram_package(layout, values):
    """Counts, index by index, the number of buckets, and the deviation are those of the published package."""
    values = [min(value, layout[1]) for value in values]
    histogram, published = made(layout, values), HdrHistogram(*layout)
    for value in values:
        assert published.record_value(value)
    assert histogram.counts().tolist() == list(published.counts)
    assert histogram.stddev * NS == pytest.approx(published.get_stddev(), nan_ok=True) or not values
    edges = (histogram.edges() * NS).round()
    assert edges[:-1].tolist() == [published.get_value_from_index(i) for i in range(published.counts_len)]


@given(layouts(), many_ns.filter(bool), st.integers(1, 100))
def test_percentiles_are_those_of_the_hdrhistogram_package_at_the_same_rank(layout, values, percent):
    """Where the package's rounding picks the nearest rank too, it answers from the same bucket."""
    values = [min(value, layout[1]) for value in values]
    histogram, published = made(layout, values), HdrHistogram(*layout)
    for value in values:
        published.record_value(value)
    nearest = math.ceil(percent * len(values) / 100)
    if published.get_target_count_at_percentile(percent) == nearest:
        answer = published.get_value_at_percentile(percent)
        assert round(histogram.percentile(percent) * NS) == min(answer, round(histogram.max * NS))


@given(layouts(), st.integers(0, 10**8), st.integers(0, 10**8).map(lambda i: i + 10**6))
def test_corrected_recording_is_the_oracles(layout, value, interval):
    """The values that were held up are recorded too, with exact sum and extremes."""
    histogram, oracle = made(layout), slow(layout)
    histogram.record_corrected(value / NS, interval / NS)
    oracle.record_corrected(value, interval)
    counts = oracle.counts()
    assert histogram.counts().tolist()[: len(counts)] == counts
    assert histogram.sum == sum(oracle.values) / NS
    assert (histogram.min, histogram.max) == (oracle.values[0] / NS, oracle.values[-1] / NS)


@given(st.integers(1, 200), st.integers(10**6, 10**9))
def test_corrected_recording_of_whole_intervals_is_the_hdrhistogram_packages(times, interval):
    """For whole multiples of the interval, where package and Java original agree, counts are the same."""
    layout = (1_000, 3_600 * 10**9, 3)
    histogram, published = made(layout), HdrHistogram(*layout)
    histogram.record_corrected(times * interval / NS, interval / NS)
    published.record_corrected_value(times * interval, interval)
    assert histogram.counts().tolist() == list(published.counts)


@given(layouts(), many_ns, st.integers(1, 30))
def test_an_array_is_recorded_as_its_values(layout, values, repeat):
    """record_many of an array leaves the state that recording its values one by one leaves."""
    array = np.array(values * repeat) / NS
    bulk, single = made(layout), made(layout, values * repeat)
    bulk.record_many(array)
    assert bulk == single
    assert bulk._summary() == single._summary()


@given(layouts(), many_ns, many_ns)
def test_merging_is_recording_all(layout, left, right):
    """Merging two histograms leaves what recording all their values into one leaves, in either order."""
    a, b, both = made(layout, left), made(layout, right), made(layout, left + right)
    backwards = made(layout, right)
    backwards.merge(a)
    a.merge(b)
    assert a == backwards == both
    assert a._summary() == both._summary()


@given(layouts(), layouts(), many_ns)
def test_merging_another_layout_keeps_count_sum_and_extremes(layout, other, values):
    """Across layouts, buckets move by their smallest value; count, sum and extremes stay exact."""
    into, source = made(layout), made(other, [min(value, layout[1]) for value in values])
    into.merge(source)
    expected = made(layout)
    for low, n in zip((source.edges() * NS).round(), source.counts().tolist(), strict=False):
        for _ in range(n):
            expected.record(min(low, layout[1]) / NS)
    assert into == expected
    assert into._summary()[:3] == source._summary()[:3]


@given(layouts(), st.lists(many_ns, max_size=4))
def test_swapped_intervals_add_up_to_everything(layout, rounds):
    """Each interval holds what was recorded since the swap before, and all of them together hold everything."""
    live, total = made(layout), made(layout)
    for values in rounds:
        for value in values:
            live.record(value / NS)
        taken = live.swap()
        assert taken == made(layout, values)
        assert taken._summary() == made(layout, values)._summary()
        total.merge(taken)
    assert live == made(layout)
    assert live._summary() == (0, None, None, 0)
    assert total == made(layout, itertools.chain(*rounds))


@given(layouts(), many_ns)
def test_a_log_keeps_every_count_and_the_package_reads_it(layout, values):
    """to_hlog and from_hlog keep layout and counts; the package decodes the same counts from the same line."""
    histogram = made(layout, values)
    text = histogram.to_hlog(start=3.0, duration=1.0)
    assert Histogram.from_hlog(text) == histogram
    published = HdrHistogram.decode(text.splitlines()[-1].split(",")[-1])
    assert list(published.counts) == histogram.counts().tolist()
    assert (published.lowest_trackable_value, published.highest_trackable_value) == layout[:2]


@given(layouts(), many_ns)
def test_a_log_of_the_package_is_read(layout, values):
    """What the package encodes is decoded to the same counts."""
    published = HdrHistogram(*layout)
    for value in values:
        published.record_value(min(value, layout[1]))
    histogram = Histogram.from_hlog(f"0.0,1.0,0.0,{published.encode().decode()}\n")
    assert histogram.counts().tolist() == list(published.counts)


@given(layouts(), many_ns, st.sampled_from([copy.copy, copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))]))
def test_copies_and_pickles_hold_everything_and_live_on_their_own(layout, values, duplicate):
    """A copy or pickle has the same layout, counts, sum and extremes, and lives apart from the original."""
    original = made(layout, values)
    other = duplicate(original)
    assert other == original
    assert other._summary() == original._summary()
    other.record(0.0)
    assert original.count == len(values)


@given(layouts(), many_ns, st.integers(1, 40), st.sampled_from(["linear", "log"]))
def test_drawn_buckets_hold_every_value_between_rising_edges(layout, values, n, scale):
    """Drawing in n buckets gives n + 1 rising edges, and their counts add up to the count."""
    histogram = made(layout, values)
    edges, counts = histogram.buckets(n, scale=scale)
    assert (len(edges), len(counts)) == (n + 1, n)
    assert (np.diff(edges) > 0).all()
    assert counts.sum() == histogram.count
