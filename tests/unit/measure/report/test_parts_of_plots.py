"""Scales, thinning and labels: what makes a plot true and readable."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.measure.report import _format, _lanes, _scale, _thin


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (9.3, ["0", "2", "4", "6", "8", "10"]),
        (0.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (250.0, ["0", "50", "100", "150", "200", "250"]),
        (1234.0, ["0", "500", "1,000", "1,500"]),
    ],
)
def test_linear_ticks_are_round(top: float, ticks: list[str]) -> None:
    """Ticks are 1, 2 or 5 times a power of ten apart, and the axis ends at one."""
    assert [label for _, label in _scale.linear(top, _format.digits).ticks] == ticks


def test_wide_ranges_are_logarithmic() -> None:
    """Times over more than a factor of thirty are drawn with equal room for each power of ten."""
    scale = _scale.fitting([0.0011, 0.02, 9.0], _format.seconds)
    assert scale.kind == "log"
    assert [label for _, label in scale.ticks] == ["10 ms", "100 ms", "1 s"]
    places = [scale.place(value) for value, _ in scale.ticks]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])
    assert _scale.fitting([0.02, 0.05], _format.seconds).kind == "linear"


def test_moments_are_whole_seconds_and_minutes() -> None:
    """The time of a run has ticks at times people count in."""
    assert [label for _, label in _scale.moments(600).ticks] == ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]
    assert [label for _, label in _scale.moments(20).ticks] == ["0 s", "5 s", "10 s", "15 s", "20 s"]
    assert [label for _, label in _scale.moments(7 * 86400).ticks][-1] == "168:00:00"


def test_each_nine_has_as_much_room() -> None:
    """The percentile axis is that of HdrHistogram, and ends where one request is the rest."""
    scale = _scale.percentiles(10_000)
    assert [label for _, label in scale.ticks] == ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]
    assert [value for value, _ in scale.ticks] == [0, 1, 2, 3, 4]
    assert scale.high == 4


@given(st.floats(1e-9, 1e12), st.floats(1e-9, 1e12))
def test_every_scale_holds_its_values(one: float, other: float) -> None:
    """Places grow with values, and both ends are on the axis."""
    low, high = sorted((one, other))
    for scale in (_scale.fitting([low, high], _format.digits), _scale.logarithmic(low, high, _format.digits)):
        assert 0 <= scale.place(low) <= scale.place(high) <= 1
        assert scale.high >= high * (1 - 1e-6)
        assert 1 <= len(scale.ticks) <= 30


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=1, max_size=400),
    st.integers(4, 60),
)
def test_thinning_keeps_extremes_order_and_gaps(values: list[float | None], most: int) -> None:
    """A spike of one slice never vanishes, however many slices share a column."""
    points = [(float(i), value) for i, value in enumerate(values)]
    thin = _thin.envelope(points, most)
    known = [y for _, y in points if y is not None]
    assert len(thin) <= max(1.5 * most, 1) + 1
    assert [x for x, _ in thin] == sorted(x for x, _ in thin)
    assert set(thin) <= set(points)
    assert {y for _, y in thin if y is not None} >= ({min(known), max(known)} if known else set())
    assert (None in [y for _, y in thin]) == (None in values)


@given(st.lists(st.tuples(st.floats(60, 544), st.text(min_size=1, max_size=40)), max_size=60))
def test_labels_never_overlap(moments: list[tuple[float, str]]) -> None:
    """Where there is no room, a label is left out; no two share a place, and none leaves the plot."""
    placed = _lanes.place(moments, low=60, high=544, width=6.6)
    assert len(placed) == len(moments)
    shown = [one for one in placed if one.text]
    assert all(one.left >= 60 and one.left + 6.6 * len(one.text) <= 544 + 1e-9 for one in shown)
    for lane in range(3):
        row = sorted((one.left, one.left + 6.6 * len(one.text)) for one in shown if one.lane == lane)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(row))


def test_numbers_have_three_digits_and_a_unit() -> None:
    """Also at the edges: nothing, nearly all, nearly none, what was never measured."""
    assert [_format.seconds(x) for x in (0.0, 9.9995e-4, 0.999, 1.0, 61.25, math.nan)] == [
        "0 s", "1 ms", "999 ms", "1 s", "61.2 s", _format.NOTHING,
    ]  # fmt: skip
    assert [_format.share(x) for x in (0.0, 1e-6, 0.02, 0.9999, 1.0, math.nan)] == [
        "0 %", "<0.01 %", "2 %", ">99.9 %", "100 %", _format.NOTHING,
    ]  # fmt: skip
    assert [_format.size(x) for x in (0, 1000, 2048, 5 * 2**40)] == ["0 B", "1,000 B", "2 KiB", "5 TiB"]
