"""What a check has come to, and what is to be done: the pure part."""

from __future__ import annotations

import pytest

from seawall.monitor.health._machine import Pace, State, Want, after, want
from seawall.monitor.health._words import Outcome, Status

PACE = Pace(ttl=10, stale=5, successes=2, failures=3, max_stuck=2)
GOOD, ODD, BAD = Outcome.passed(), Outcome.warned("odd"), Outcome.failed("bad")


def run(*outcomes: Outcome, pace: Pace = PACE) -> list[Status | None]:
    """The status after each answer."""
    state, seen = State(), []
    for now, outcome in enumerate(outcomes, 1):
        state = after(state, outcome, now, 0, pace)
        seen.append(state.status)
    return seen


def test_the_first_failure_counts_at_once() -> None:
    """Nothing has been good yet."""
    assert run(BAD) == [Status.FAIL]


def test_the_first_success_needs_its_threshold() -> None:
    """Until then it is not known, which counts as a failure."""
    assert run(GOOD, GOOD) == [None, Status.PASS]


def test_failures_count_only_in_a_row() -> None:
    """A success between them begins anew."""
    seen = run(GOOD, GOOD, BAD, BAD, GOOD, BAD, BAD, BAD)
    assert seen == [None, *[Status.PASS] * 6, Status.FAIL]


def test_successes_count_only_in_a_row() -> None:
    """A failure between them begins anew."""
    assert run(BAD, GOOD, BAD, GOOD, GOOD) == [Status.FAIL] * 4 + [Status.PASS]


def test_a_warning_is_a_success_that_is_shown() -> None:
    """From pass to warn and back there is no threshold."""
    assert run(ODD, ODD, GOOD, ODD) == [None, Status.WARN, Status.PASS, Status.WARN]


def test_since_is_when_the_status_changed() -> None:
    """Answers that change nothing leave it."""
    pace = PACE._replace(successes=1, failures=1)
    state = State()
    for now, outcome in ((5, GOOD), (9, GOOD), (12, BAD), (20, BAD)):
        state = after(state, outcome, now, 1, pace)
    assert (state.since_ns, state.at_ns, state.streak) == (12, 20, 2)


@pytest.mark.parametrize(
    ("age", "running", "stuck", "expected"),
    [
        (9, False, 0, Want.KNOWN),
        (9, False, 2, Want.KNOWN),
        (10, False, 0, Want.REFRESH),
        (14, True, 0, Want.KNOWN),
        (15, False, 0, Want.RUN),
        (15, True, 0, Want.JOIN),
        (15, False, 1, Want.RUN),
        (12, False, 2, Want.STUCK),
        (-1, False, 0, Want.RUN),
    ],
)
def test_what_an_asker_needs(age: int, running: bool, stuck: int, expected: Want) -> None:
    """By the age of what is known, whether a run is under way, and how many hang."""
    state = after(State(), GOOD, 100, 0, PACE)
    assert want(state, PACE, 100 + age, running=running, stuck=stuck) is expected


def test_who_asks_first_waits() -> None:
    """There is nothing stale to give."""
    assert want(State(), PACE, 0, running=False, stuck=0) is Want.RUN
    assert want(State(), PACE, 0, running=True, stuck=0) is Want.JOIN
