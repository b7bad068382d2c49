"""River's models behind the same protocol."""

from __future__ import annotations

import pickle
import random

import pytest

from seawall.errors import ConfigError
from seawall.monitor.anomaly import Detector, River

anomaly = pytest.importorskip("river.anomaly")
drift = pytest.importorskip("river.drift")
preprocessing = pytest.importorskip("river.preprocessing")


def values(count: int, level: float = 100.0) -> list[float]:
    """Noise around a level."""
    rng = random.Random(6)
    return [rng.gauss(level, 5) for _ in range(count)]


def models() -> dict[str, River]:
    """A supervised model, a pipeline, and a drift detector."""
    trees = anomaly.HalfSpaceTrees(n_trees=10, window_size=50, seed=1)
    return {
        "GaussianScorer": River(anomaly.GaussianScorer(), threshold=0.9999),
        "HalfSpaceTrees": River(preprocessing.MinMaxScaler() | trees, threshold=0.98, warm_up=60),
        "ADWIN": River(drift.ADWIN(), warm_up=0),
    }


@pytest.mark.parametrize("name", models())
def test_a_model_finds_a_shift_and_lets_noise_pass(name: str) -> None:
    """As our own detectors do; of the values between 0 and 1 that it scales to, HalfSpaceTrees takes many for odd."""
    detector = models()[name]
    assert isinstance(detector, Detector)
    told = [detector.update(value, at).anomalous for at, value in enumerate(values(300))]
    assert told.count(True) <= (75 if name == "HalfSpaceTrees" else 3)
    after = [detector.update(value, 300 + at) for at, value in enumerate(values(60, 200))]
    assert any(verdict.anomalous for verdict in after)
    assert any(verdict.reason.startswith(name) for verdict in after)


@pytest.mark.parametrize("name", models())
def test_a_model_pickles_and_is_reset(name: str) -> None:
    """A copy goes on alike; after a reset it is untrained."""
    detector = models()[name]
    for at, value in enumerate(values(100)):
        detector.update(value, at)
    copy = pickle.loads(pickle.dumps(detector))
    assert [copy.update(v, 0) for v in values(50)] == [detector.update(v, 0) for v in values(50)]
    detector.reset()
    fresh = models()[name]
    assert [detector.update(v, 0) for v in values(90)] == [fresh.update(v, 0) for v in values(90)]


def test_a_missing_value_is_judged_by_nobody() -> None:
    """None, nan, inf."""
    detector = models()["GaussianScorer"]
    assert [detector.update(value, 0).reason for value in (None, float("nan"), float("inf"))] == ["no value"] * 3


def test_what_is_no_model_is_refused() -> None:
    """With what it is."""
    with pytest.raises(ConfigError) as caught:
        River(3)
    assert str(caught.value) == "model must be of river.anomaly, or a drift detector of river.drift, got 3"
