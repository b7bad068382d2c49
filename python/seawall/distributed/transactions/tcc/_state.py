"""The state of a TCC as the fold of its records; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from seawall.distributed.transactions._conducting import IDLE, Call, Progress
from seawall.distributed.transactions._kinds import RESOLVED, Ends
from seawall.distributed.transactions._records import LogEntry

TRY, CONFIRM, CANCEL = "try", "confirm", "cancel"
CONFIRMED, CANCELLED = "confirmed", "cancelled"
ENDS = Ends(frozenset({CONFIRMED}), frozenset({CANCELLED}), frozenset({"cancelling"}))
Phase = Literal["trying", "confirming", "cancelling", "parked", "finished"]
DECIDED: Mapping[str, Phase] = {CONFIRM: "confirming", CANCEL: "cancelling"}


@dataclass(frozen=True, slots=True)
class TccState:
    """Where a TCC stands.

    Attributes:
        name: Of its definition.
        input: As it was begun with.
        shape: Names of its branches.
        deadline_us: When nothing more is tried, in Unix time; None for never.
        phase: What it does.
        before: What it did before it was parked.
        outcome: confirmed, cancelled or resolved, when finished.
        reason: Why it is parked, or cancelled, or was resolved.
        turned: Why it is cancelled.
        order: Branches in the order in which their tries first began.
        progress: Of tries, confirms and cancels that were begun.
    """

    name: str
    input: Any
    shape: list[str]
    deadline_us: int | None
    phase: Phase = "trying"
    before: Phase = "trying"
    outcome: str = ""
    reason: str = ""
    turned: str = ""
    order: tuple[str, ...] = ()
    progress: Mapping[Call, Progress] = field(default_factory=dict)

    def of(self, branch: str, operation: str) -> Progress:
        """How far a try, confirm or cancel has come."""
        return self.progress.get((branch, operation), IDLE)

    def results(self) -> dict[str, Any]:
        """What the tries that are done returned."""
        return {
            branch: progress.result
            for (branch, operation), progress in self.progress.items()
            if operation == TRY and progress.state == "done"
        }

    @property
    def state(self) -> str:
        """The phase, or the outcome once it is finished."""
        return self.outcome or self.phase


def fold(entries: Iterable[LogEntry]) -> TccState:
    """The state that records lead to; the first is the beginning."""
    records = iter(entries)
    first = next(records)
    begun, plan = first.data, first.data["plan"]
    deadline_us = None if plan["deadline"] is None else first.at_us + plan["deadline"]
    state = TccState(begun["name"], begun["input"], plan["branches"], deadline_us)
    for entry in records:
        state = apply(state, entry)
    return state


def apply(state: TccState, entry: LogEntry) -> TccState:
    """The state after one more record."""
    data = entry.data
    match entry.what:
        case "started" | "done" | "failed":
            return _moved(state, (data["step"], data["of"]), entry)
        case "decided":
            return replace(state, phase=DECIDED[data["to"]], reason=data["why"], turned=data["why"])
        case "parked":
            return replace(state, phase="parked", before=state.phase, reason=data["why"])
        case "ordered":
            return _ordered(state, data["to"], data["why"])
        case "finished":
            reason = state.reason if data["state"] == RESOLVED else state.turned
            return replace(state, phase="finished", outcome=data["state"], reason=reason)
    return state


def _moved(state: TccState, call: Call, entry: LogEntry) -> TccState:
    order = state.order
    if call[1] == TRY and call[0] not in order:
        order = (*order, call[0])
    return replace(state, order=order, progress={**state.progress, call: state.of(*call).after(entry)})


def _ordered(state: TccState, what: str, why: str) -> TccState:
    before = state.before if state.phase == "parked" else state.phase
    match what:
        case "park":
            return replace(state, phase="parked", before=before, reason=why)
        case "compensate":
            return replace(state, phase="cancelling", reason=why, turned=why)
        case "retry":
            return replace(_afresh(state), phase=before, reason=state.turned)
        case "resolve":
            return replace(state, reason=why)
    return state


def _afresh(state: TccState) -> TccState:
    """Confirms and cancels that were given up, or wait, have all their attempts again."""
    progress = {
        call: each.afresh() if call[1] != TRY and each.state in ("given_up", "refused", "failed", "begun") else each
        for call, each in state.progress.items()
    }
    return replace(state, progress=progress)
