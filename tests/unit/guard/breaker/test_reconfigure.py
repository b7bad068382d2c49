"""Changing the options of a breaker that is in use."""

from pathlib import Path

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, outcomes, probing

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.breaker import Calls, CircuitBreaker, Ramp, Seconds
from seawall.guard.breaker._words import overlay, words_of
from seawall.memory import Segment


def test_the_state_and_the_window_go_on(clock: ManualClock) -> None:
    """New conditions judge what has been counted already, with the next call that fails."""
    breaker = breaker_at(clock, consecutive=50)
    fail(breaker, 4)
    breaker.reconfigure(consecutive=5)
    assert (breaker.state, breaker.stats().window_failures) == ("closed", 4)
    fail(breaker)
    assert breaker.state == "open"
    breaker.reconfigure(open_for=100)
    assert breaker.stats().open_for == 2.0


def test_a_window_of_another_shape_begins_anew(clock: ManualClock) -> None:
    """Outcomes by calls are not outcomes by seconds; the row of failures is part of the window."""
    breaker = breaker_at(clock, consecutive=50)
    outcomes(breaker, "ffss")
    breaker.reconfigure(window=Seconds(60))
    assert breaker.stats().calls == 0
    outcomes(breaker, "fs")
    assert breaker.stats().calls == 2


def test_what_is_under_way_is_answered_under_the_new_options(clock: ManualClock) -> None:
    """More probes, more successes needed; a permit from before is not late."""
    breaker, probe = probing(clock)
    breaker.reconfigure(probes=2)
    probe.success()
    assert (breaker.state, breaker.stats().late) == ("half_open", 0)
    breaker.enter().success()
    assert breaker.state == "closed"


def test_options_of_this_object_change_too(clock: ManualClock) -> None:
    """Predicate, ignored types and opening time, for the calls that come."""
    breaker = opened(clock)
    breaker.reconfigure(failure_if=lambda answer: answer == 503, ignore=KeyError, open_for=4, seed=5)
    clock.advance(2)
    breaker.call(lambda: 503)
    assert (breaker.state, breaker.stats().open_for) == ("open", 4.0)
    breaker.reconfigure(failure_if=None)
    clock.advance(4)
    breaker.call(lambda: 503)
    assert breaker.state == "closed"


def test_what_can_never_work_changes_nothing(clock: ManualClock) -> None:
    """A bad change is the same error as in the beginning."""
    breaker = breaker_at(clock)
    before = breaker.options
    for changes, message in (
        (
            {"probes": 0},
            "probes must be 1 to 64, got 0; calls admitted half open, all of which must succeed",
        ),
        ({"min_calls": 500}, "min_calls must be at most the window of 100 calls, got 500"),
    ):
        with pytest.raises(ConfigError) as caught:
            breaker.reconfigure(open_for=5, **changes)
        assert str(caught.value) == message
    assert breaker.options == before


def test_changes_of_two_users_do_not_undo_each_other(clock: ManualClock, tmp_path: Path) -> None:
    """Each changes what it names; what the other has changed meanwhile stays, and both see it."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    one, two = (breaker_at(clock, shared=segment) for _ in range(2))
    one.reconfigure(probes=5)
    two.reconfigure(consecutive=7, open_for=9)
    assert (one.options.probes, one.options.consecutive) == (5, 7)
    assert (two.options.probes, two.options.consecutive) == (5, 7)
    assert (one.options.open_for, two.options.open_for) == (2, 9)
    assert one._config() == two._config()


def test_who_adopts_changes_only_what_it_names(clock: ManualClock, tmp_path: Path) -> None:
    """An adopted configuration is the one in force here, too, and the start of later changes."""
    segment = Segment(str(tmp_path / "s"), size=64 * 1024)
    breaker_at(clock, shared=segment, probes=5, slow_after=0.25, window=Seconds(60), recovery=Ramp(over=Calls(7)))
    late = CircuitBreaker("payments", clock=clock, shared=segment, on_conflict="adopt")
    options = late.options
    assert (options.probes, options.slow_after, options.window) == (5, 0.25, Seconds(60.0))
    assert options.recovery == Ramp(over=Calls(7))
    late.reconfigure(probes=6)
    assert late.options == options.replace(probes=6)


@pytest.mark.parametrize(
    "changes",
    [
        {"window": Calls(7), "min_calls": 7},
        {"window": Seconds(0.01), "failure_ratio": 0.1},
        {"failure_ratio": 1e-13},
        {"failure_ratio": None, "consecutive": 3},
        {"failure_ratio": 1 / 3, "combine": "all"},
        {"slow_after": 0.123456789, "slow_ratio": 0.7},
        {"slow_after": 86_400, "lost_after": 0.001},
        {"recovery": None},
        {"recovery": Ramp(over=0.001, start=0.001, backoff=0.3)},
        {"recovery": Ramp(over=Calls(1024), start=1, backoff=0)},
        {"recovery": Ramp(over=Calls(3), start=1 / 3, backoff=1)},
        {"probes": 64},
    ],
    ids=str,
)
def test_options_read_from_a_segment_mean_what_was_written(changes: dict) -> None:
    """The kernel's words become options again that have the same words."""
    words = words_of(CircuitBreaker(**changes).options)
    assert words_of(overlay(CircuitBreaker().options, words)) == words


def test_ratios_and_shares_are_read_as_people_write_them() -> None:
    """0.1 comes back as 0.1, not as what the kernel rounded it to."""
    for tenth in range(1, 11):
        wanted = CircuitBreaker(failure_ratio=tenth / 10, recovery=Ramp(start=tenth / 10, backoff=tenth / 100)).options
        assert overlay(CircuitBreaker().options, words_of(wanted)) == wanted
