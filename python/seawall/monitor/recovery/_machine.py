"""What is to be done about one condition: a pure function of (state, what is known, now).

::

    calm -> pending -> ready -> running -> settling -> calm        it helped
                         ^                    |
                         +-- the next action -+                    it did not
                         |
                         +-> exhausted                             nothing is left
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

Phase = Literal["calm", "pending", "ready", "running", "settling", "exhausted"]
Outcome = Literal["done", "failed", "hung"]
Kind = Literal[
    "began", "relapsed", "cooling", "no_help", "recovered", "cleared", "exhausted",
    "started", "would_start", "done", "failed", "hung", "busy", "refused",
    "undo_started", "undone", "undo_failed", "undo_hung", "unknown", "ended_late",
]  # fmt: skip


class Rung(Protocol):
    """What the machine knows of an action."""

    @property
    def settle(self) -> float: ...
    @property
    def cooldown(self) -> float: ...


class Course(NamedTuple):
    """How a rule goes about its condition. Units: seconds."""

    ladder: Sequence[Rung]
    for_: float
    clear_for: float
    relapse: float


class State(NamedTuple):
    """Where a rule is.

    Attributes:
        phase: See the picture.
        since: When it began.
        rung: The action that runs, or is next.
        good_since: Since when the condition does not hold; None while it holds or nothing is known.
        starts: When each action was last started.
        applied: Actions of this incident that ended well, to be taken back when it is over.
        acted: The last action of the last incident and when that was over; for relapses.
        told: What was told of this phase already, so that it is told once.
    """

    phase: Phase
    since: float
    rung: int
    good_since: float | None
    starts: tuple[float | None, ...]
    applied: tuple[int, ...] = ()
    acted: tuple[int, float] | None = None
    told: tuple[Kind, ...] = ()


class Told(NamedTuple):
    """Something that is to be told: a kind, the action it is about, and a detail."""

    kind: Kind
    rung: int | None = None
    detail: str = ""


class Step(NamedTuple):
    """What follows: the next state, what is told, and what is to be done.

    Attributes:
        start: Try to start this action, then say `started` or `held_up`.
        undo: Take these actions back, in this order.
    """

    state: State
    told: tuple[Told, ...] = ()
    start: int | None = None
    undo: tuple[int, ...] = ()


def calm(rungs: int) -> State:
    """A rule that has seen nothing yet."""
    return State("calm", 0.0, 0, None, (None,) * rungs)


def step(state: State, course: Course, holds: bool | None, now: float) -> Step:
    """What follows from whether the condition holds now; None where that is not known."""
    good_since = None if holds is not False else now if state.good_since is None else state.good_since
    state = state._replace(good_since=good_since)
    if state.phase in ("calm", "pending"):
        return _watch(state, course, holds, now)
    if state.phase != "running" and good_since is not None and now - good_since >= course.clear_for:
        return _over(state, now)
    if holds and state.phase == "ready":
        return _climb(state, course, now)
    if holds and state.phase == "settling" and now - state.since >= course.ladder[state.rung].settle:
        return _climb(_next(state, now), course, now, (Told("no_help", state.rung),))
    return Step(state)


def started(state: State, now: float) -> State:
    """The action that was to be started runs."""
    starts = (*state.starts[: state.rung], now, *state.starts[state.rung + 1 :])
    return state._replace(phase="running", since=now, starts=starts, told=())


def held_up(state: State, kind: Kind, detail: str) -> Step:
    """The action that was to be started could not be; told once while it lasts."""
    return _once(state, Told(kind, state.rung, detail))


def ended(state: State, outcome: Outcome, detail: str, now: float, *, applied: bool) -> Step:
    """The action that ran has ended, or will not in time. One that did not end well is followed by the next at once."""
    told = (Told(outcome, state.rung, detail),)
    if applied and outcome != "failed":  # what hangs may still have its effect
        state = state._replace(applied=(*state.applied, state.rung))
    if outcome == "done":
        return Step(state._replace(phase="settling", since=now), told)
    return Step(_next(state, now), told)


def _watch(state: State, course: Course, holds: bool | None, now: float) -> Step:
    if holds is not True:
        return Step(state._replace(phase="calm", since=now) if state.phase == "pending" else state)
    if state.phase == "calm":
        state = state._replace(phase="pending", since=now)
    if now - state.since < course.for_:
        return Step(state)
    told, rung = Told("began"), 0
    away = state.since - state.acted[1] if state.acted is not None else course.relapse
    if state.acted is not None and away < course.relapse:
        rung = state.acted[0] + 1
        told = Told("relapsed", state.acted[0], f"{away:g} s after it had cleared")
    return _climb(state._replace(phase="ready", since=now, rung=rung, told=()), course, now, (told,))


def _climb(state: State, course: Course, now: float, told: tuple[Told, ...] = ()) -> Step:
    if state.rung >= len(course.ladder):
        return Step(state._replace(phase="exhausted", since=now), (*told, Told("exhausted")))
    last, cooldown = state.starts[state.rung], course.ladder[state.rung].cooldown
    if last is not None and now - last < cooldown:
        waiting = _once(state, Told("cooling", state.rung, f"for {last + cooldown - now:g} s"))
        return waiting._replace(told=(*told, *waiting.told))
    return Step(state, told, start=state.rung)


def _over(state: State, now: float) -> Step:
    tried = state.rung if state.phase == "settling" else state.rung - 1
    acted = (tried, now) if tried >= 0 else None
    kind: Kind = "recovered" if state.phase == "settling" else "cleared"
    told = Told(kind, state.rung if state.phase == "settling" else None)
    over = State("calm", now, 0, state.good_since, state.starts, acted=acted)
    return Step(over, (told,), undo=tuple(reversed(state.applied)))


def _next(state: State, now: float) -> State:
    return state._replace(phase="ready", since=now, rung=state.rung + 1, told=())


def _once(state: State, told: Told) -> Step:
    if told.kind in state.told:
        return Step(state)
    return Step(state._replace(told=(*state.told, told.kind)), (told,))
