"""Each detector: what it finds, what it lets pass, and its warm-up."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable, Iterable

import pytest

from seawall.errors import ConfigError
from seawall.monitor.anomaly import (
    Anomaly,
    Bounds,
    Cusum,
    Deseasoned,
    Detector,
    Ewma,
    PageHinkley,
    RobustZ,
    Seasonal,
    Verdict,
    Vote,
    Watch,
    detector_from,
)

SMALL = {"warm_up": 20}
MAKERS: dict[str, Callable[[], Detector]] = {
    "bounds": lambda: Bounds(low=70, high=130),
    "robust_z": lambda: RobustZ(window=60, **SMALL),
    "ewma": lambda: Ewma(**SMALL),
    "cusum": lambda: Cusum(**SMALL),
    "page_hinkley": lambda: PageHinkley(**SMALL),
    "seasonal": lambda: Seasonal(period=10, slots=5, warm_up=4),
    "deseasoned": lambda: Deseasoned(Seasonal(period=10, slots=5, warm_up=4), Cusum(**SMALL)),
    "vote": lambda: Vote({"ewma": Ewma(**SMALL), "cusum": Cusum(**SMALL)}),
}
LEARNING = [name for name in MAKERS if name != "bounds"]


def noise(count: int, level: float = 100.0, seed: int = 6) -> list[float]:
    """Values around a level, with a spread of 5."""
    rng = random.Random(seed)
    return [rng.gauss(level, 5) for _ in range(count)]


def feed(detector: Detector, values: Iterable[float | None], at: int = 0) -> list[Verdict]:
    """All verdicts, a value a second."""
    return [detector.update(value, at + i) for i, value in enumerate(values)]


@pytest.mark.parametrize("name", MAKERS)
def test_noise_is_no_anomaly(name: str) -> None:
    """None in 2,000 values."""
    assert not any(verdict.anomalous for verdict in feed(MAKERS[name](), noise(2000)))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("level", [160.0, 40.0])
def test_a_big_shift_is_found_soon_on_both_sides(name: str, level: float) -> None:
    """Within ten values, with the reason in words."""
    detector = MAKERS[name]()
    feed(detector, noise(200))
    told = [verdict for verdict in feed(detector, noise(10, level), 200) if verdict.anomalous]
    assert told
    assert told[0].score > 1
    assert told[0].reason


@pytest.mark.parametrize("name", ["ewma", "cusum", "page_hinkley", "deseasoned"])
def test_a_small_shift_that_lasts_is_found(name: str) -> None:
    """Of two spreads, within forty values; a comparison of single values would miss it."""
    detector = MAKERS[name]()
    feed(detector, noise(300))
    assert any(verdict.anomalous for verdict in feed(detector, noise(40, 110), 300))


@pytest.mark.parametrize("name", ["ewma", "cusum", "page_hinkley"])
def test_a_single_spike_is_let_pass(name: str) -> None:
    """However high it is."""
    detector = MAKERS[name]()
    feed(detector, noise(200))
    assert not any(verdict.anomalous for verdict in feed(detector, [1e6, *noise(20)], 200))


@pytest.mark.parametrize("name", LEARNING)
def test_nothing_is_judged_during_warm_up(name: str) -> None:
    """Whatever comes; the verdict says so."""
    detector = MAKERS[name]()
    first = feed(detector, [0.0, 1e9, -1e9])
    assert [(verdict.anomalous, verdict.ready, verdict.score) for verdict in first] == [(False, False, 0.0)] * 3


@pytest.mark.parametrize("name", MAKERS)
def test_a_missing_value_changes_nothing(name: str) -> None:
    """None and nan are no zeros."""
    with_gaps, without = MAKERS[name](), MAKERS[name]()
    values = noise(100)
    feed(without, values)
    for i, value in enumerate(values):
        with_gaps.update(value, i)
        with_gaps.update(None, i)
        with_gaps.update(float("nan"), i)
    assert with_gaps.to_dict() == without.to_dict()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MAKERS)
def test_a_detector_that_was_saved_goes_on_as_if_nothing_had_been(name: str) -> None:
    """Through JSON, and through pickle."""
    detector = MAKERS[name]()
    feed(detector, noise(90))
    read = detector_from(json.loads(json.dumps(detector.to_dict())))  # type: ignore[attr-defined]
    pickled = pickle.loads(pickle.dumps(detector))
    after = [*noise(30, seed=7), *noise(30, 160)]
    assert feed(read, after, 90) == feed(pickled, after, 90) == feed(detector, after, 90)


@pytest.mark.parametrize("name", MAKERS)
def test_a_reset_forgets_everything(name: str) -> None:
    """It is as new."""
    detector, fresh = MAKERS[name](), MAKERS[name]()
    feed(detector, noise(90))
    detector.reset()
    assert detector.to_dict() == fresh.to_dict()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["robust_z", "ewma", "cusum", "page_hinkley", "seasonal"])
@pytest.mark.parametrize(("side", "level"), [("above", 40.0), ("below", 160.0)])
def test_the_side_that_does_not_matter_is_let_pass(name: str, side: str, level: float) -> None:
    """Too few errors are no trouble."""
    made = MAKERS[name]()
    detector = type(made)(**{**made.options.as_dict(), "side": side})  # type: ignore[attr-defined]
    feed(detector, noise(200))
    assert not any(verdict.anomalous for verdict in feed(detector, noise(10, level), 200))


@pytest.mark.parametrize("name", ["robust_z", "ewma", "cusum"])
def test_a_new_level_becomes_usual_in_the_end(name: str) -> None:
    """After the window, or a few times the memory."""
    makers = {"robust_z": RobustZ(window=60), "ewma": Ewma(memory=100), "cusum": Cusum(memory=100)}
    detector = makers[name]
    feed(detector, noise(200))
    verdicts = feed(detector, noise(2000, 160), 200)
    assert verdicts[5].anomalous
    assert not any(verdict.anomalous for verdict in verdicts[-500:])


def test_without_memory_a_new_level_is_never_usual() -> None:
    """What the warm-up showed stays the measure."""
    detector = Ewma(memory=None)
    feed(detector, noise(200))
    assert all(verdict.anomalous for verdict in feed(detector, noise(2000, 130), 200)[-500:])


def test_values_that_are_all_alike_have_a_spread_all_the_same() -> None:
    """A hundredth of the level by default: a change of a thousandth is nothing, a tenfold one is."""
    detector = RobustZ(warm_up=5)
    feed(detector, [100.0] * 50)
    assert not detector.update(100.1, 51).anomalous
    assert detector.update(1000, 52).anomalous


def test_a_rhythm_is_no_anomaly_but_its_absence_is() -> None:
    """The value of the peak in the trough."""
    wave = [10.0, 50, 90, 50, 10]
    values = [wave[i % 10 // 2] + value - 100 for i, value in enumerate(noise(400))]
    detector = Seasonal(period=10, slots=5, warm_up=6)
    assert not any(verdict.anomalous for verdict in feed(detector, values))
    assert not detector.update(90, 404).anomalous
    assert detector.update(90, 408).reason.startswith("90 is ")


def test_page_hinkley_tells_a_change_once() -> None:
    """And learns the new level."""
    detector = PageHinkley(**SMALL)
    told = [verdict.anomalous for verdict in feed(detector, [*noise(200), *noise(300, 160)])]
    assert told.count(True) == 1


def test_a_vote_needs_as_many_as_it_says() -> None:
    """One of two is enough for need=1, and not for need=2."""
    for need, expected in ((1, True), (2, False)):
        vote = Vote({"low": Bounds(high=5), "high": Bounds(high=50)}, need=need)
        assert vote.update(10, 0).anomalous is expected


# -- watches ----------------------------------------------------------------------------------------------------------


def test_a_watch_tells_the_beginning_and_the_end() -> None:
    """After as many values as asked for; a reading that is missing or raises changes nothing."""
    values: list[float | None] = [1, 99, None, 99, 99, 1, 1, 99, 1, 1, 1]

    def depth() -> float | None:
        value = values.pop(0)
        if value is None:
            raise OSError("gone")
        return value

    watch = Watch({"depth": depth}, {"depth": Bounds(high=50)}, after=2, clear_after=3)
    told: list[Anomaly] = []
    watch.told.connect(told.append)
    for at in range(11):
        watch.look(at)
    assert [(each.name, each.began, each.at) for each in told] == [("depth", True, 3), ("depth", False, 10)]
    assert (watch.failures, watch.anomalous("depth")) == (1, False)


# -- what can never work ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Bounds, "low or high must be given, got neither; a value cannot be out of no bounds"),
        (lambda: Bounds(low=2, high=1), "low must be below high, got 2 and 1"),
        (lambda: RobustZ(window=10, warm_up=20), "warm_up must be at most the window of 10 values, got 20"),
        (
            lambda: Ewma(weight=0),
            "weight must be above 0 to 1, got 0; of the newest value in the average",
        ),
        (
            lambda: Cusum(side="up"),  # type: ignore[arg-type]
            "side must be one of 'both', 'above', 'below', got 'up'; where anomalies lie: both, above or below what is "
            "usual",
        ),
        (
            lambda: Seasonal(period=60, slots=10_000, keep=1000),
            "slots x keep must be at most 1,000,000 values, got 10,000,000",
        ),
        (lambda: Vote({}), "detectors must name at least one detector, got none"),
        (lambda: Vote({"a": Ewma()}, need=2), "need must be a whole number, 1 to 1 detectors, got 2"),
        (
            lambda: Watch({"a": lambda: 1.0}, {"b": Ewma()}),
            "detectors must be given for the readings ['a'], one each and at least one, got ['b']",
        ),
        (
            lambda: detector_from({"kind": "magic"}),
            "kind of a saved detector must be one of bounds, robust_z, ewma, cusum, page_hinkley, seasonal, vote, "
            "deseasoned, got 'magic'",
        ),
        (
            lambda: detector_from({"kind": "ewma", "options": Ewma().options.as_dict()}),
            "the saved ewma detector cannot be read: KeyError('state'); begin with a new one",
        ),
    ],
)
def test_what_can_never_work_is_refused(make: Callable[[], object], message: str) -> None:
    """With the option, the value and the range."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_a_state_of_other_options_is_refused_and_changes_nothing() -> None:
    """A threshold that was changed must not go unnoticed."""
    detector, other = Ewma(), Ewma(threshold=3)
    before = detector.to_dict()
    with pytest.raises(ConfigError, match=r"^the state of a detector of kind ewma with EwmaOptions"):
        detector.restore(other.to_dict())
    assert detector.to_dict() == before
