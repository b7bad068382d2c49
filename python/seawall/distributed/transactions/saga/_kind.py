"""What the log and the command line have to know of sagas."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.distributed.transactions._conducting import then_words
from seawall.distributed.transactions._kinds import Kind, Summary
from seawall.distributed.transactions._records import LogEntry
from seawall.distributed.transactions.saga._state import ACTION, ENDS, SagaState, fold


class SagaKind:
    """Reads the records of sagas."""

    name = "saga"
    ends = ENDS

    def summary(self, entries: Sequence[LogEntry]) -> Summary:
        """Where the saga stands."""
        state = fold(entries)
        steps = sum(len(branch) for stage in state.shape for branch in stage)
        return Summary(
            state.name, state.state, state.phase == "finished", state.phase == "parked", state.reason,
            len(state.results()), steps,
        )  # fmt: skip

    def words(self, entry: LogEntry) -> str:
        """What happened, in a few words."""
        data = entry.data
        match entry.what:
            case "begun":
                return f"saga {data['name']}"
            case "started":
                return f"{_call(entry)}, attempt {data['attempt']}"
            case "done":
                return _call(entry)
            case "failed":
                return f"{_call(entry)}: {data['error']}{then_words(entry)}"
            case "finished":
                return str(data["state"])
        return ", ".join(str(value) for value in data.values() if value)

    def order(self, entries: Sequence[LogEntry], what: str) -> str:
        """Why a person may not order something now; empty when they may."""
        state = fold(entries)
        if state.phase == "finished":
            return f"it is {state.state}, and nothing more can happen to it"
        if what == "retry" and state.phase != "parked":
            return f"it is {state.phase}, not parked"
        if what == "compensate":
            return _no_way_back(state)
        return ""


def _no_way_back(state: SagaState) -> str:
    if state.phase == "compensating" or (state.phase == "parked" and state.before == "compensating"):
        return "it is compensating already; order retry"
    if state.pivot is not None and state.of(state.pivot, ACTION).state == "done":
        return f"its pivot {state.pivot!r} is done, and cannot be undone"
    return ""


def _call(entry: LogEntry) -> str:
    step, operation = entry.data["step"], entry.data["of"]
    return str(step) if operation == ACTION else f"{operation} of {step}"


KIND: Kind = SagaKind()
