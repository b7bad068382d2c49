"""Snapshots, recordings of them, and what windows say."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe import Distribution, Exemplar, Family, Recording, Sample, Selector, Snapshot, Window

VALUES = st.lists(st.floats(0.0, 100.0), max_size=40)


def distribution(values: list[float], digits: int = 2) -> Distribution:
    """What a histogram of these values holds."""
    histogram = Histogram(digits=digits)
    histogram.record_many(np.asarray(values, dtype=float))
    return Distribution.of(histogram)


def counted(at: float, **calls: float) -> Snapshot:
    """A counter `calls` with a label `code`."""
    samples = tuple(Sample((("code", code[1:]),), value) for code, value in calls.items())
    return Snapshot(at, (Family("calls", "counter", samples),))


def recorded(*snapshots: Snapshot, tiers=((1.0, 300.0), (10.0, 3600.0))) -> Recording:
    """A recording of these."""
    recording = Recording(tiers)
    for snapshot in snapshots:
        recording.append(snapshot)
    return recording


@given(VALUES, VALUES)
def test_a_sum_of_distributions_is_the_distribution_of_all_values(some, others):
    """Merging is exact, bucket by bucket."""
    both = distribution(some) + distribution(others)
    together = distribution(some + others)
    assert both.places.tolist() == together.places.tolist()
    assert both.counts.tolist() == together.counts.tolist()
    assert both.sum == pytest.approx(together.sum)


@given(VALUES, VALUES)
def test_a_difference_is_what_came_since(before, came):
    """Later minus earlier holds exactly the values in between."""
    since = distribution(before + came) - distribution(before)
    assert since.counts.tolist() == distribution(came).counts.tolist()
    assert since.places.tolist() == distribution(came).places.tolist()


@given(VALUES.filter(bool), st.floats(0, 1))
def test_a_quantile_is_within_the_precision_of_its_value(values, q):
    """At rank ceil(q n) stands a value that differs by less than the digits allow."""
    found = distribution(values, digits=3).quantile(q)
    true = sorted(values)[max(1, math.ceil(q * len(values))) - 1]
    assert true - 1e-9 <= found <= true * 1.002 + 2e-6


@given(VALUES.filter(bool), st.floats(0, 100))
def test_values_below_a_bound_are_counted_up_to_its_bucket(values, bound):
    """All that do not exceed the bound count; what is clearly above does not."""
    found = distribution(values, digits=3).count_below(bound)
    assert sum(v <= bound for v in values) <= found <= sum(v <= bound * 1.002 + 2e-6 for v in values)


def test_a_histogram_that_began_anew_counts_from_nothing():
    """What cannot be a difference is all of the later one."""
    assert distribution([1.0]) - distribution([1.0, 2.0]) == distribution([1.0])
    assert distribution([1.0, 1.0]) - distribution([2.0]) == distribution([1.0, 1.0])


def test_distributions_of_different_layouts_do_not_mix():
    """The message names both layouts."""
    with pytest.raises(ValueError, match=r"layouts .*2\) and .*3\) have different buckets"):
        distribution([1.0]) + distribution([1.0], digits=3)


def test_without_values_nothing_is_known():
    """An empty distribution has no mean, quantile or share."""
    nothing = distribution([])
    assert nothing.count == 0
    assert all(math.isnan(x) for x in (nothing.mean, nothing.quantile(0.5), nothing.share_below(1.0)))
    with pytest.raises(
        ValueError, match=re.escape("q must be a share from 0 to 1, got 99; 0.99 is the 99th percentile")
    ):
        nothing.quantile(99)


def test_a_counter_that_goes_back_began_anew():
    """A restart loses nothing that came after it: 5 to 9, then 3 from nothing."""
    recording = recorded(counted(0, _200=5), counted(1, _200=9), counted(2, _200=3))
    assert recording.window(2).increase("calls") == 7


def test_a_series_that_comes_later_began_at_nothing():
    """The first error counts, which comes with a series that was not there before."""
    recording = recorded(counted(0, _200=5), counted(1, _200=6, _500=1))
    failed = Selector("calls", code=lambda code: code.startswith("5"))
    assert recording.window(1).increase(failed) == 1
    assert recording.window(1).ratio(failed, "calls") == 0.5


def test_what_is_not_there_is_none_and_not_nothing():
    """No metric, one snapshot, or none at all: None."""
    assert Recording().window(60).rate("calls") is None
    recording = recorded(counted(0, _200=5))
    assert recording.window(60).rate("calls") is None
    recording.append(counted(1, _200=5))
    assert recording.window(60).rate("calls") == 0
    assert recording.window(60).rate("other") is None
    assert recording.window(60).ratio("calls", "calls") is None
    assert recording.window(60).quantile("calls", 0.5) is None
    assert recording.window(60).value("other") is None


def test_a_window_says_what_it_really_covers():
    """Asked for an hour after ten seconds, it covers ten seconds; the past can be asked for."""
    recording = recorded(*(counted(at, _200=at * at) for at in range(11)))
    assert recording.window(3600).seconds == 10
    assert recording.window(4, now=8).increase("calls") == 64 - 16


@given(st.lists(st.floats(0.2, 400.0), min_size=1, max_size=60))
def test_thinning_loses_no_count_and_stays_bounded(pauses):
    """Over all that is kept the increase is exact, and no tier has more than its span holds."""
    times = [0.0, *itertools.accumulate(pauses)]
    recording = recorded(*(counted(at, _200=7 * n) for n, at in enumerate(times)))
    whole = recording.window(1e9)
    assert whole.increase("calls") == 7 * (len(times) - 1) - next(iter(recording)).select("calls")[0].value
    for (step, span), kept in zip(recording.tiers, recording._kept, strict=True):
        assert len(kept) <= span / (step * 0.95) + 3


def test_three_days_take_some_hundred_snapshots():
    """The default tiers keep a second's detail of minutes and minutes' detail of days."""
    recording = recorded(*(counted(float(at), _200=at) for at in range(0, 259_200, 5)), tiers=Recording().tiers)
    assert len(recording) < 1_400
    for seconds in (10, 300, 3_600, 21_600, 259_000):
        assert recording.window(seconds).increase("calls") == pytest.approx(seconds, rel=0.03, abs=1)


def test_gauges_are_put_together_as_asked():
    """Sum, least, most and mean of the series that are meant."""
    at = Snapshot(1.0, (Family("depth", "gauge", (Sample((("q", "a"),), 1.0), Sample((("q", "b"),), 5.0))),))
    window = recorded(at).window(60)
    assert [window.value("depth", across) for across in ("sum", "min", "max", "mean")] == [6.0, 1.0, 5.0, 3.0]
    assert window.value(Selector("depth", q="b")) == 5.0
    assert window.label_values("depth", "q") == (("a",), ("b",))


def test_a_selector_takes_a_value_several_or_a_condition():
    """A label that is not there is empty."""
    labels = (("code", "503"), ("route", "/"))
    assert Selector("x", code="503").matches(labels)
    assert Selector("x", code=("502", "503")).matches(labels)
    assert not Selector("x", code="50").matches(labels)
    assert Selector("x", method="").matches(labels)
    assert Selector("x", name="n").where(route="/") == Selector("x", name="n", route="/")
    assert repr(Selector("x", code="503")) == "Selector('x', code='503')"


def test_a_recording_survives_a_file(tmp_path: Path):
    """What was saved is loaded, histograms and exemplars too, and nothing is left beside it."""
    exemplar = Exemplar((("trace_id", "ab"),), 0.5, 1.0)
    family = Family(
        "t", "histogram", (Sample((("route", 'é"\n'),), distribution([0.1, 2.0]), (exemplar,)),), "h", "seconds"
    )
    recording = recorded(Snapshot(1.0, (family,)), counted(2.0, _200=1))
    recording.save(tmp_path / "r.jsonl")
    assert [snapshot.to_dict() for snapshot in Recording.load(tmp_path / "r.jsonl")] == [
        snapshot.to_dict() for snapshot in recording
    ]
    assert list(Recording.load(tmp_path / "r.jsonl")) == list(recording)
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_a_file_that_is_none_says_where(tmp_path: Path):
    """The line is named."""
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(counted(1.0, _200=1).to_dict()) + "\n[]\n")
    with pytest.raises(ValueError, match=r"^line 2 of .*r\.jsonl is no snapshot: "):
        Recording.load(path)


def test_tiers_go_from_fine_to_coarse():
    """Others are refused with what was given."""
    with pytest.raises(
        ConfigError,
        match=re.escape(
            "tiers must be (step, span) in seconds, from fine and short to coarse and long, got ((10, 60), (1, 600))"
        ),
    ):
        Recording(((10, 60), (1, 600)))
    with pytest.raises(ConfigError, match=r"^a window must be longer than 0 s, got 0$"):
        Recording().window(0)


def test_snapshots_of_several_makers_are_one():
    """Series of one name come together; of equal ones the first stays."""
    one, other = counted(1.0, _200=1), counted(2.0, _200=5, _500=2)
    merged = Snapshot.merged([one, other])
    assert merged.at == 2.0
    assert merged.family("calls").samples == (Sample((("code", "200"),), 1), Sample((("code", "500"),), 2))


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(0, 20), st.lists(st.floats(0, 5), max_size=4))),
        min_size=2,
        max_size=8,
    )
)
def test_what_is_packed_says_what_it_said(moments):
    """Whatever comes, vanishes or begins anew: a window over kept snapshots answers as one over them as they were."""
    snapshots = []
    for at, moment in enumerate(moments):
        counts = tuple(Sample((("n", n),), float(count)) for n, (count, _) in sorted(moment.items()))
        times = tuple(Sample((("n", n),), distribution(values)) for n, (_, values) in sorted(moment.items()))
        families = (Family("c", "counter", counts), Family("h", "histogram", times))
        snapshots.append(Snapshot(float(at), families))
    kept, plain = recorded(*snapshots).window(100), Window(tuple(snapshots))
    assert list(kept.snapshots) != []
    for what in ("c", Selector("c", n="a"), "h", Selector("h", n=lambda n: n > "a")):
        assert kept.increase(what) == plain.increase(what)
    assert kept.distribution("h") == plain.distribution("h")
    assert [snapshot.to_dict() for snapshot in kept.snapshots] == [snapshot.to_dict() for snapshot in snapshots]
