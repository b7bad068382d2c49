"""Operations, their intervals, and what is said when one gets worse."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recorded.measure import recorded

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.performance import Baseline, Degradation, Interval, PerformanceMonitor


class Service:
    """An operation whose calls take as long as a test says, on a manual clock."""

    def __init__(self, **options: object) -> None:
        self.clock = ManualClock(1000)
        self.rng = random.Random(6)
        self.monitor = PerformanceMonitor(clock=self.clock, wall=self.clock.time, **options)  # type: ignore[arg-type]
        self.told: list[Degradation] = []
        self.monitor.told.connect(self.told.append)

    def run(self, intervals: int, median: float = 0.02, errors: float = 0.001, calls: int = 200) -> None:
        """Let intervals pass; each is a little slower or faster than the others, as real ones are."""
        operation = self.monitor.operation("charge")
        for _ in range(intervals):
            level = median * self.rng.lognormvariate(0, 0.05)
            for _ in range(calls):
                if self.rng.uniform(0, 1) < errors:
                    operation.record_error()
                else:
                    operation.record(level * self.rng.lognormvariate(0, 0.3))
            self.clock.advance(10)
            self.monitor.evaluate()

    def words(self) -> dict[str, str]:
        """The verdicts now."""
        return {change.figure: change.verdict for change in self.monitor.changes()}


def with_baseline(**options: object) -> Service:
    """One hour of good operation, taken as the baseline."""
    service = Service(**options)
    service.run(120)
    service.monitor.baseline = service.monitor.take_baseline()
    return service


def test_an_interval_holds_what_ended_in_it() -> None:
    """Calls, errors, percentiles; the next one begins empty."""
    clock = ManualClock(1000)
    monitor = PerformanceMonitor(interval=10, clock=clock, wall=clock.time)

    @monitor.operation("charge")
    def charge(seconds: float, fail: bool = False) -> None:
        clock.advance(seconds)
        if fail:
            raise ConnectionError

    charge(1.0)
    charge(2.0)
    with pytest.raises(ConnectionError):
        charge(3.0, fail=True)
    assert monitor.evaluate() == ()
    assert monitor.intervals("charge") == ()
    clock.advance(4)
    monitor.evaluate()
    clock.advance(10)
    monitor.evaluate()
    first, second = monitor.intervals("charge")
    assert (first.at, first.seconds, first.calls, first.errors) == (1010.0, 10.0, 3, 1)
    assert (first.rate, first.error_ratio) == (0.3, 1 / 3)
    assert first.p50 is not None
    assert math.isclose(first.p50, 1.0, rel_tol=1e-3)
    assert second == Interval(1020.0, 10.0, 0, 0, None, None, None)
    assert second.error_ratio is None


def test_good_operation_is_the_same_as_its_baseline() -> None:
    """Four hours of it bring not one event."""
    service = with_baseline()
    service.run(1440)
    assert service.told == []
    assert "worse" not in service.words().values()


@pytest.mark.parametrize(
    ("trouble", "figures"), [({"median": 0.04}, {"p50", "p95", "p99"}), ({"errors": 0.05}, {"error_ratio"})]
)
def test_what_gets_worse_is_told_once_and_again_when_it_is_over(trouble: dict[str, float], figures: set[str]) -> None:
    """Within a block of intervals, of the figures that are worse and no others."""
    service = with_baseline()
    service.run(6, **trouble)
    assert {told.change.figure for told in service.told} <= figures
    service.run(60, **trouble)
    assert [told.began for told in service.told] == [True] * len(figures)
    assert {told.change.figure for told in service.told} == figures
    assert {change.figure for change in service.monitor.worse()} == figures
    service.run(30)
    assert [told.began for told in service.told] == [True] * len(figures) + [False] * len(figures)
    assert service.monitor.worse() == ()


def test_a_change_is_told_in_numbers() -> None:
    """What it was, what it is, and how sure that is."""
    service = with_baseline()
    service.run(12, median=0.04)
    text = next(str(told.change) for told in service.told if told.change.figure == "p50")
    assert text.startswith("charge p50: worse, ")
    assert " ms (+" in text
    assert "sure to be +" in text


def test_what_is_twice_as_fast_is_better() -> None:
    """And no event."""
    service = with_baseline()
    service.run(6, median=0.01)
    assert service.words()["p50"] == "better"
    assert service.told == []


def test_nobody_can_tell_of_too_little() -> None:
    """The reason says what is missing; nothing is told."""
    service = Service()
    service.run(12)
    service.monitor.baseline = service.monitor.take_baseline()
    service.run(6, median=0.2)
    reasons = {change.reason for change in service.monitor.changes()}
    assert reasons == {"2 blocks in the baseline, 5 are needed"}
    service = with_baseline()
    service.run(6, calls=20, median=0.2)
    assert {change.figure: change.reason for change in service.monitor.changes()}["p99"] == (
        "120 calls lately, 500 are needed"
    )
    service.run(6, calls=0)
    assert {change.reason for change in service.monitor.changes()} == {"no calls lately"}


def test_a_swing_that_the_baseline_has_too_is_no_degradation() -> None:
    """Recorded medians of a real service on a machine that others used: first half beside the second."""
    clock = ManualClock(1000)
    first, second = recorded(0)["card_p95"], recorded(1)["card_p95"]

    def intervals(values: list[float]) -> tuple[Interval, ...]:
        return tuple(Interval(i * 0.5, 0.5, 1000, 0, v, v, v) for i, v in enumerate(values))

    told = 0
    for end in range(20, len(second), 20):
        monitor = PerformanceMonitor(interval=0.5, block=20, clock=clock, baseline=Baseline({"card": intervals(first)}))
        monitor.operation("card")
        monitor._followed["card"].intervals.extend(intervals(second[:end]))
        told += any(change.verdict == "worse" for change in monitor.changes())
    assert told <= 1


def test_a_baseline_is_kept_in_a_file(tmp_path: Path) -> None:
    """What is read back is the same, and judges the same."""
    service = with_baseline()
    path = tmp_path / "baseline.json"
    assert service.monitor.baseline is not None
    service.monitor.baseline.save(path)
    read = Baseline.load(path)
    assert read.operations == service.monitor.baseline.operations
    assert read.origin == service.monitor.baseline.origin
    assert [each.name for each in tmp_path.iterdir()] == ["baseline.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "baseline must be a file that Baseline.save wrote, got {path!r}: no such file"),
        ("[", "baseline must be a file that Baseline.save wrote, got {path!r}: "
         "Expecting value: line 1 column 2 (char 1)"),
        ('{"operations": {}, "format": "x"}',
         "baseline must be of format 'seawall performance baseline 1', got 'x' in {path!r}"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    """With its name and what is wrong."""
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Baseline.load(path)
    assert str(caught.value) == message.format(path=str(path))


def test_operations_are_bounded() -> None:
    """Those beyond are counted together, and how often that happened."""
    monitor = PerformanceMonitor(max_operations=2)
    for name in ("a", "b", "c", "d", "a"):
        monitor.operation(name).record(0.1)
    assert monitor.operation("other").count == 2
    assert monitor.operation("a").count == 2
    assert monitor.refused >= 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: PerformanceMonitor(interval=0),
            "interval must be 0.1 to 3600 s, got 0; length of an interval; each has percentiles of its own",
        ),
        (
            lambda: PerformanceMonitor(confidence=1),
            "confidence must be 0.5 to 0.9999, got 1; that a change is beyond the tolerance",
        ),
    ],
)
def test_options_that_can_never_work_are_refused(make: Callable[[], object], message: str) -> None:
    """With the value and the range."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_it_runs_in_a_thread() -> None:
    """An interval is ended by the clock."""
    with PerformanceMonitor(interval=0.1) as monitor:
        monitor.operation("a").record(0.1)
        import threading

        for _ in range(10_000):
            if monitor.intervals("a"):
                break
            threading.Event().wait(0.001)
    assert sum(each.calls for each in monitor.intervals("a")) == 1
