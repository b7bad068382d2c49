"""Laws of detectors and trends, whatever the values are."""

from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seawall.monitor.anomaly import Cusum, Deseasoned, Ewma, PageHinkley, RobustZ, Seasonal, detector_from
from seawall.monitor.suspicion import trend

VALUES = st.lists(st.floats(allow_nan=False) | st.integers(-3, 3).map(float), max_size=60)
MAKERS = st.sampled_from([
    lambda: RobustZ(window=8, warm_up=5),
    lambda: Ewma(warm_up=5, memory=10),
    lambda: Cusum(warm_up=5, memory=None),
    lambda: PageHinkley(warm_up=5, memory=10),
    lambda: Seasonal(period=4, slots=4, warm_up=2, keep=4),
    lambda: Deseasoned(Seasonal(period=4, slots=4, warm_up=2, keep=4), Cusum(warm_up=5)),
])  # fmt: skip


@given(make=MAKERS, values=VALUES)
def test_any_value_is_judged_and_the_state_stays_plain_data(make, values) -> None:
    """Also the largest and infinite ones: no error, no nan, nothing that JSON could not carry."""
    detector = make()
    for at, value in enumerate(values):
        verdict = detector.update(value, at)
        assert verdict.score >= 0
        assert verdict.anomalous == (verdict.score > 1)
        assert verdict.ready or not verdict.anomalous
    text = json.dumps(detector.to_dict(), allow_nan=False)
    assert detector_from(json.loads(text)).to_dict() == detector.to_dict()


@given(make=MAKERS, values=st.lists(st.floats(-1e6, 1e6), max_size=40), cut=st.integers(0, 40))
def test_a_judgement_depends_on_state_and_value_alone(make, values, cut) -> None:
    """Saved and read back at any place, the verdicts are the same."""
    whole, part = make(), make()
    expected = [whole.update(value, at) for at, value in enumerate(values)]
    found = []
    for at, value in enumerate(values):
        if at == cut:
            part = detector_from(part.to_dict())
        found.append(part.update(value, at))
    assert found == expected


@given(
    values=st.lists(st.integers(-50, 50), min_size=8, max_size=25),
    shift=st.integers(-1000, 1000),
    scale=st.sampled_from([0.25, 2.0, 8.0]),
)
def test_a_trend_follows_what_is_done_to_the_values(values, shift, scale) -> None:
    """Moved values have the same slope, stretched ones a stretched one, reversed ones the opposite."""
    times = list(range(len(values)))
    found = trend(times, values)
    slopes = [(values[j] - values[i]) / (j - i) for i in times for j in times if i < j]
    assert found.slope == float(np.median(slopes))
    assert math.isclose(found.tau, sum(np.sign(s) for s in slopes) / len(slopes))
    assert found.low <= found.slope <= found.high
    assert trend(times, [v + shift for v in values]) == found
    assert math.isclose(trend(times, [v * scale for v in values]).slope, found.slope * scale)
    back = trend(times, values[::-1])
    assert (back.slope, back.tau, back.p) == (-found.slope, -found.tau, found.p)
    assert 0 <= found.p <= 1
