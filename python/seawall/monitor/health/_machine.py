"""What a check has come to, and what is to be done when somebody asks. Pure: state, answer, now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from seawall.monitor.health._words import Outcome, Status


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a check.

    Args:
        status: After thresholds; None while too few answers have come to tell.
        last: The last answer; None before the first.
        streak: How many answers in a row were good, or bad, as the last one.
        at_ns: When the last one came.
        took_ns: How long it took.
        since_ns: Since when the status is what it is.
    """

    status: Status | None = None
    last: Outcome | None = None
    streak: int = 0
    at_ns: int = 0
    took_ns: int = 0
    since_ns: int = 0


class Pace(NamedTuple):
    """How often a check is asked, and how many answers it takes to change its status; times in nanoseconds."""

    ttl: int
    stale: int
    successes: int
    failures: int
    max_stuck: int


class Want(Enum):
    """What an asker needs."""

    KNOWN = "what is known will do"
    JOIN = "wait for the run under way"
    RUN = "start a run and wait for it"
    REFRESH = "start a run, and take what is known meanwhile"
    STUCK = "no run may be started: too many hang"


def after(state: State, outcome: Outcome, now: int, took: int, pace: Pace) -> State:
    """The state once an answer has come."""
    good = outcome.status is not Status.FAIL
    before = state.last is not None and (state.last.status is not Status.FAIL)
    streak = state.streak + 1 if state.last is not None and before == good else 1
    status = _judged(state.status, outcome.status, streak, pace.successes if good else pace.failures)
    since = state.since_ns if status is state.status and state.last is not None else now
    return State(status, outcome, streak, now, took, since)


def _judged(status: Status | None, found: Status, streak: int, enough: int) -> Status | None:
    """A first failure needs no threshold: nothing has been good yet. A first success does, as with Kubernetes."""
    if status is None and found is Status.FAIL:
        return Status.FAIL
    was_good = status in (Status.PASS, Status.WARN)
    if was_good == (found is not Status.FAIL):
        return found
    return found if streak >= enough else status


def want(state: State, pace: Pace, now: int, *, running: bool, stuck: int) -> Want:
    """What an asker needs now."""
    age = now - state.at_ns
    if state.last is not None and 0 <= age < pace.ttl:
        return Want.KNOWN
    usable = state.last is not None and 0 <= age < pace.ttl + pace.stale
    if running:
        return Want.KNOWN if usable else Want.JOIN
    if stuck >= pace.max_stuck:
        return Want.STUCK
    return Want.REFRESH if usable else Want.RUN
