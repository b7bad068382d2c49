"""What a breaker tells, and what it shows."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, outcomes, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen
from seawall.guard.breaker import CallRefused, CircuitBreaker, Ramp, StateChanged
from seawall.memory import Segment


def test_every_change_is_told_once(clock: ManualClock) -> None:
    """The whole way round, in order, with the openings in a row."""
    breaker, told = breaker_at(clock, recovery=Ramp(over=2, start=1)), []
    breaker.state_changed.connect(told.append)
    outcomes(breaker, "sff")
    clock.advance(2)
    fail(breaker)
    clock.advance(2)
    outcomes(breaker, "s")
    clock.advance(2)
    outcomes(breaker, "sss")
    breaker.force_open()
    breaker.force_open()
    breaker.disable()
    breaker.metrics_only()
    breaker.reset()
    breaker.reset()
    assert told == [
        StateChanged("payments", *change)
        for change in (
            ("closed", "open", 1),
            ("open", "half_open", 1),
            ("half_open", "open", 2),
            ("open", "half_open", 2),
            ("half_open", "recovering", 2),
            ("recovering", "closed", 0),
            ("closed", "forced_open", 0),
            ("forced_open", "disabled", 0),
            ("disabled", "metrics_only", 0),
            ("metrics_only", "closed", 0),
        )
    ]


def test_a_change_made_elsewhere_is_told_with_the_next_call(clock: ManualClock, tmp_path) -> None:
    """Another user of a shared breaker opened it: this one hears of it once, when it next looks."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    here, there = (breaker_at(clock, shared=segment) for _ in range(2))
    told = []
    here.state_changed.connect(told.append)
    fail(there, 2)
    assert told == []
    for _ in range(3):
        assert not here.try_enter()
    assert told == [StateChanged("payments", "closed", "open", 1)]
    there.force_close()
    here.call(lambda: None)
    here.call(lambda: None)
    assert told[1:] == [StateChanged("payments", "open", "closed", 0)]


def test_there_and_back_elsewhere_is_no_change(clock: ManualClock, tmp_path) -> None:
    """What opened and closed while nobody here called is not told as a change from closed to closed."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    here, there = (breaker_at(clock, shared=segment) for _ in range(2))
    told = []
    here.state_changed.connect(told.append)
    there.force_open()
    there.force_close()
    here.call(lambda: None)
    assert told == []


def test_every_refusal_is_told_once(clock: ManualClock) -> None:
    """By value, by exception, by decorated call and by block; raising the value tells nothing more."""
    breaker, told = opened(clock), []
    breaker.call_refused.connect(told.append)
    refusal = breaker.try_enter()
    refusal.exception()
    refusal.exception()
    assert len(told) == 1
    for use in (breaker.enter, breaker(lambda: None), breaker.__enter__):
        with pytest.raises(CircuitOpen):
            use()
    assert told == [CallRefused("payments", "open", 2.0)] * 4
    breaker.force_open()
    breaker.try_enter()
    assert told[4:] == [CallRefused("payments", "forced_open", None)]
    assert breaker.stats().refused == 5


def test_a_receiver_may_use_the_breaker(clock: ManualClock) -> None:
    """Inside a receiver the change has been made, and calls may be entered."""
    breaker, seen = breaker_at(clock), []
    breaker.state_changed.connect(lambda _: seen.append((breaker.state, bool(breaker.try_enter()))))
    fail(breaker, 2)
    assert seen == [("open", False)]


def test_a_receiver_that_fails_fails_nobody(clock: ManualClock) -> None:
    """The call goes on; the signal counts the failure."""
    breaker = breaker_at(clock)
    breaker.state_changed.connect(lambda _: 1 / 0)
    breaker.state_changed.on_failure = lambda _: None
    fail(breaker, 2)
    assert breaker.state == "open"
    assert breaker.state_changed.failures == 1


def test_an_interrupt_in_a_receiver_comes_out_and_loses_no_place(clock: ManualClock) -> None:
    """Ctrl-C while an admitted probe tells of the change ends the call and gives its place back."""
    breaker = opened(clock)
    clock.advance(2)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with breaker.state_changed.connect(interrupt), pytest.raises(KeyboardInterrupt):
        breaker.call(lambda: None)
    assert breaker.state == "half_open"
    breaker.call(lambda: None)
    assert breaker.state == "closed"
    with breaker.state_changed.connect(interrupt), pytest.raises(KeyboardInterrupt):
        fail(breaker, 2)
    clock.advance(2)
    with breaker.state_changed.connect(interrupt), pytest.raises(KeyboardInterrupt):
        breaker.try_enter()
    assert breaker.enter().is_probe


def test_stats_count_everything_once(clock: ManualClock) -> None:
    """Each number after a known history."""
    breaker, probe = probing(clock, probes=2, slow_after=4, slow_ratio=1.0, min_calls=50)
    clock.advance(4)
    probe.failure()
    probe.failure()
    breaker.try_enter()
    stats = breaker.stats()
    assert stats._asdict() == {
        "name": "payments",
        "state": "open",
        "calls": 0,
        "window_failures": 0,
        "window_slow": 0,
        "consecutive": 0,
        "failure_ratio": 0.0,
        "share": 0.0,
        "trips": 2,
        "open_for": 2.0,
        "successes": 0,
        "failures": 3,
        "slow": 1,
        "ignored": 0,
        "refused": 1,
        "late": 0,
        "transitions": 3,
        "lost": 0,
        "let_through": 0,
        "shared": None,
    }
    with pytest.raises(AttributeError):
        stats.calls = 5


def test_repr_says_name_state_and_window(clock: ManualClock, tmp_path) -> None:
    """For a person at a prompt."""
    breaker = breaker_at(clock)
    outcomes(breaker, "sf")
    assert repr(breaker) == "<CircuitBreaker 'payments': closed, 1 of 2 calls failed>"
    path = str(tmp_path / "s")
    shared = CircuitBreaker(shared=Segment(path, size=64 * 1024))
    assert repr(shared) == f"<CircuitBreaker 'circuit_breaker': closed, 0 of 0 calls failed shared in {path}>"
    assert repr(breaker(len)) == f"<len guarded by {breaker!r}>"
