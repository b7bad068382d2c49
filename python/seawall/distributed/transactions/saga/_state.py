"""The state of a saga as the fold of its records; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from seawall.distributed.transactions._conducting import IDLE, Call, Progress
from seawall.distributed.transactions._kinds import RESOLVED, Ends
from seawall.distributed.transactions._records import LogEntry

ACTION, COMPENSATION = "action", "compensation"
DONE, COMPENSATED = "done", "compensated"
ENDS = Ends(frozenset({DONE}), frozenset({COMPENSATED}), frozenset({"compensating"}))
Phase = Literal["running", "compensating", "parked", "finished"]


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
            reason = state.reason if data["state"] == RESOLVED else state.turned
            return state._replace(phase="finished", outcome=data["state"], reason=reason)
    return state


def _moved(state: SagaState, call: Call, entry: LogEntry) -> SagaState:
    progress = state.of(*call).after(entry)
    order = state.order
    if call[1] == ACTION and call[0] not in order:
        order = (*order, call[0])
    return state._replace(order=order, progress={**state.progress, call: progress})


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
        call: each.afresh() if call[1] == operation and each.state not in ("idle", "done") else each
        for call, each in state.progress.items()
    }
    return state._replace(phase=phase, reason=state.turned, progress=progress)
