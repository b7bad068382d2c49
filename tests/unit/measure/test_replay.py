"""Replay: recorded arrivals, from files and sequences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Constant, Plan, Replay, arrival_times


def due(plan: Plan) -> list[float]:
    """All uniform due times of a plan."""
    return [t for times in arrival_times(plan) for t in times.tolist()]


def test_arrivals_are_the_recorded_ones() -> None:
    """In order, from the first timestamp on, with those at one moment together, and silence after the last."""
    plan = Replay([105.5, 100, 101, 101, 101, 104]).over(60)
    assert due(plan) == pytest.approx([0, 1, 1, 1, 4, 5.5])
    assert plan.total == plan.arrivals == 6
    assert [plan.rate(t) for t in (0.5, 2, 4.5, 6)] == pytest.approx([1, 1 / 3, 1 / 1.5, 0])


def test_a_single_arrival() -> None:
    """One timestamp is one request at the start."""
    plan = Replay([7]).over(1)
    assert due(plan) == [0]
    assert plan.rate(0) == plan.rate(0.5) == 0


def test_begin_is_when_the_run_starts() -> None:
    """Silence before the first request can be kept."""
    replay = Replay([12, 15], begin=10)
    assert due(replay.over(10)) == [2, 5]
    assert due(replay.over(1)) == []


def test_a_run_as_long_as_the_recording_keeps_the_last_arrival() -> None:
    """Even when the last bit of the duration says that it ends just before."""
    assert due(Replay([0, 22]).over(21.999999999999996)) == [0, 21.999999999999996]


@pytest.mark.parametrize(("duration", "arrivals"), [(0.5, 1), (0.999, 1), (1, 2), (4, 3), (4.1, 3), (5, 4)])
def test_a_shorter_run_cuts(duration: float, arrivals: int) -> None:
    """Exactly the arrivals up to the end of the run are left."""
    plan = Replay([0, 1, 4, 5]).over(duration)
    assert due(plan) == pytest.approx([0, 1, 4, 5][:arrivals])


def test_many_equal_spaced_arrivals_do_not_drift() -> None:
    """200,000 a second for five seconds come back as they were."""
    times = np.arange(1_000_000) / 200_000
    assert np.allclose(due(Replay(times).over(5)), times, rtol=0, atol=1e-9)


def test_a_replay_can_be_scaled_added_joined_and_clipped() -> None:
    """Twice the load fills the gaps; a limit spreads what came at once until the next time first."""
    replay = Replay([0, 2, 4])
    assert due((replay * 2).over(4)) == pytest.approx([0, 0.5, 1.5, 2.5, 3.5, 4])
    assert due((replay + Replay([1], begin=0)).over(4)) == pytest.approx([0, 1, 2, 4], abs=0.51)
    assert due(replay.then(replay, after=10).over(20)) == pytest.approx([0, 2, 4, 10, 12, 14])
    clipped = Replay([0] * 10 + [2, 4]).clip(0, 2).over(4)
    assert clipped.levels(2) == pytest.approx([2, 1])
    assert (Constant(0) + Replay([0, 0, 4])).clip(0, 50).over(4).total == pytest.approx(3)
    assert Replay([0, 0]).clip(0, 50).over(4).total == pytest.approx(2)


def test_poisson_arrivals_follow_a_replay() -> None:
    """Arrivals by chance are repeated by a seed and lie where the recorded ones are."""
    plan = Replay(np.concatenate([np.linspace(0, 1, 500), np.linspace(8, 9, 500)])).over(10)
    one, again = (np.concatenate(list(arrival_times(plan, "poisson", seed=5))) for _ in range(2))
    assert np.array_equal(one, again)
    assert np.count_nonzero((one > 1) & (one < 8)) <= 5
    assert abs(len(one) - 1000) < 5 * 1000**0.5


@pytest.mark.parametrize(
    "text",
    [
        "1700000000\n1700000000.5\n\n1700000003\n",
        "# from the access log\n2023-11-14T22:13:20Z\n2023-11-14T22:13:20.5+00:00\n2023-11-14T22:13:23\n",
        "[0, 0.5, 3]",
        '{"arrivals": [10, 10.5, 13]}',
    ],
)
def test_files(tmp_path: Path, text: str) -> None:
    """Seconds, ISO 8601 and JSON say the same."""
    file = tmp_path / "times"
    file.write_text(text)
    replay = Replay(file)
    assert replay == Replay(str(file)) == Replay([0, 0.5, 3])
    assert replay.length == 3
    assert replay.describe() == "replay of 3 arrivals in 3 s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "replay needs at least one timestamp, got none in {file}; record some requests first"),
        (
            "1\nsoon\n",
            "line 2 of {file} must be a time in seconds or in ISO 8601, got 'soon'; "
            "for example 1700000000.25 or 2024-05-01T12:00:00.250Z",
        ),
        ("1\nnan\n", "timestamp 2 of {file} must be a finite number of seconds, got nan; for example 1700000000.25"),
        (
            '[1, "x"]',
            "timestamp 2 of {file} must be a finite number of seconds, got 'x'; for example 1700000000.25",
        ),
        (
            '{"throughput": {}, "response_time": {}}',
            "replay needs the time of each request, but {file} is the result of a load test without a plan that "
            "could be made again (a closed model, or a long recording); replay a file with one timestamp a line",
        ),
        (
            '{"times": [1]}',
            "replay needs a JSON list of timestamps, or an object with one named 'arrivals', which {file} has not; "
            "for example [0.5, 0.75, 2]",
        ),
        (
            "[1, ",
            "replay must be a text file with one timestamp a line or JSON, got '{file}': "
            "Expecting value: line 1 column 5 (char 4); export it again",
        ),
        (
            "1700000000000\n1700001000000\n",
            "timestamps must span at most 604,800 seconds, got 1,000,000 in {file}; "
            "replay a part of them, or divide by 1,000 if they are in milliseconds",
        ),
    ],
)
def test_unreadable_files_say_what_would_work(tmp_path: Path, text: str, message: str) -> None:
    """Each thing a file can be instead of timestamps has its own message."""
    file = tmp_path / "times"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Replay(file)
    assert str(caught.value) == message.replace("{file}", str(file))


def test_a_missing_file(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    file = tmp_path / "none"
    with pytest.raises(ConfigError) as caught:
        Replay(file)
    assert str(caught.value) == (
        f"replay must be a file that can be read, got {str(file)!r}: No such file or directory; check the path"
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Replay(5), "replay must be a path or timestamps, got 5; for example Replay('arrivals.txt')"),
        (
            lambda: Replay([True]),
            "timestamp 1 of the sequence must be a finite number of seconds, got True; for example 1700000000.25",
        ),
        (
            lambda: Replay([5, 6], begin=5.5),
            "begin must not be after the first timestamp, 5, got 5.5; leave it out",
        ),
    ],
)
def test_bad_sequences_say_what_would_work(build: Callable[[], object], message: str) -> None:
    """What is no sequence of timestamps is refused with the way out."""
    with pytest.raises(ConfigError) as caught:
        build()
    assert str(caught.value) == message
