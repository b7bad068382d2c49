"""The state of a saga as the fold of its records; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from seawall.distributed.transactions._records import LogEntry

ACTION, COMPENSATION = "action", "compensation"
Phase = Literal["running", "compensating", "parked", "finished"]
Call = tuple[str, str]
"""A step, and which of its two operations."""


class Progress(NamedTuple):
    """How far one action or compensation has come.

    Attributes:
        state: idle, begun (its end is not recorded), failed (to be tried again), given_up, refused, done.
        attempts: Attempts that have failed.
        cuts: How often it was begun again in a row without an end: the process died, or was cancelled.
        since_us: When the first attempt began.
        wait_us: The wait before the next attempt.
        due_us: When that begins.
        result: What it returned.
        error: What it raised last.
    """

    state: Literal["idle", "begun", "failed", "given_up", "refused", "done"] = "idle"
    attempts: int = 0
    cuts: int = 0
    since_us: int = 0
    wait_us: int = 0
    due_us: int = 0
    result: Any = None
    error: str = ""


IDLE = Progress()


class SagaState(NamedTuple):
    """Where a saga stands.

    Attributes:
        name: Of its definition.
        input: As it was begun with.
        shape: Names of its steps by stage and branch.
        pivot: Its point of no return.
        deadline_us: When no further step begins, in Unix time; None for never.
        phase: What it does.
        before: What it did before it was parked.
        outcome: done, compensated or resolved, when finished.
        reason: Why it is parked, or went back, or was resolved.
        turned: Why it went back.
        order: Steps in the order in which their actions first began.
        progress: Of actions and compensations that were begun.
    """

    name: str
    input: Any
    shape: list[list[list[str]]]
    pivot: str | None
    deadline_us: int | None
    phase: Phase = "running"
    before: Phase = "running"
    outcome: str = ""
    reason: str = ""
    turned: str = ""
    order: tuple[str, ...] = ()
    progress: Mapping[Call, Progress] = MappingProxyType({})

    def of(self, step: str, operation: str) -> Progress:
        """How far an action or compensation has come."""
        return self.progress.get((step, operation), IDLE)

    def results(self) -> dict[str, Any]:
        """What the actions that are done returned."""
        return {
            step: progress.result
            for (step, operation), progress in self.progress.items()
            if operation == ACTION and progress.state == "done"
        }

    @property
    def state(self) -> str:
        """The phase, or the outcome once it is finished."""
        return self.outcome or self.phase


def fold(entries: Iterable[LogEntry]) -> SagaState:
    """The state that records lead to; the first is the beginning."""
    records = iter(entries)
    first = next(records)
    begun, plan = first.data, first.data["plan"]
    deadline_us = None if plan["deadline"] is None else first.at_us + plan["deadline"]
    state = SagaState(begun["name"], begun["input"], plan["steps"], plan["pivot"], deadline_us)
    for entry in records:
        state = apply(state, entry)
    return state


def apply(state: SagaState, entry: LogEntry) -> SagaState:
    """The state after one more record."""
    data = entry.data
    match entry.what:
        case "started" | "done" | "failed":
            return _moved(state, (data["step"], data["of"]), entry)
        case "back":
            return state._replace(phase="compensating", reason=data["why"], turned=data["why"])
        case "parked":
            return state._replace(phase="parked", before=state.phase, reason=data["why"])
        case "ordered":
            return _ordered(state, data["to"], data["why"])
        case "finished":
            reason = state.reason if data["state"] == "resolved" else state.turned
            return state._replace(phase="finished", outcome=data["state"], reason=reason)
    return state


def _moved(state: SagaState, call: Call, entry: LogEntry) -> SagaState:
    progress = progressed(state.of(*call), entry)
    order = state.order
    if call[1] == ACTION and call[0] not in order:
        order = (*order, call[0])
    return state._replace(order=order, progress={**state.progress, call: progress})


def progressed(progress: Progress, entry: LogEntry) -> Progress:
    """How far an operation has come after one more record of it."""
    data = entry.data
    if entry.what == "started":
        cuts = progress.cuts + 1 if progress.state == "begun" else 0
        return progress._replace(state="begun", cuts=cuts, since_us=progress.since_us or entry.at_us)
    if entry.what == "done":
        return progress._replace(state="done", cuts=0, result=data.get("result"))
    wait_us = data.get("wait")
    return progress._replace(
        state="refused" if data.get("refused") else "given_up" if wait_us is None else "failed",
        attempts=progress.attempts + 1,
        cuts=0,
        wait_us=wait_us or 0,
        due_us=entry.at_us + (wait_us or 0),
        error=data["error"],
    )


def _ordered(state: SagaState, what: str, why: str) -> SagaState:
    match what:
        case "park":
            return state._replace(
                phase="parked", before=state.before if state.phase == "parked" else state.phase, reason=why
            )
        case "compensate":
            return state._replace(phase="compensating", reason=why, turned=why)
        case "retry":
            return _afresh(state, state.before)
        case "resolve":
            return state._replace(reason=why)
    return state


def _afresh(state: SagaState, phase: Phase) -> SagaState:
    """On the way it was on; what had failed there has all its attempts again."""
    operation = COMPENSATION if phase == "compensating" else ACTION
    progress = {
        call: each._replace(state="begun", attempts=0, cuts=0, since_us=0, due_us=0, wait_us=0)
        if call[1] == operation and each.state not in ("idle", "done")
        else each
        for call, each in state.progress.items()
    }
    return state._replace(phase=phase, reason=state.turned, progress=progress)
