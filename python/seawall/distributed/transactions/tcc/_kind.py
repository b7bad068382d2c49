"""What the log and the command line have to know of TCCs."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.distributed.transactions._conducting import then_words
from seawall.distributed.transactions._kinds import Kind, Summary
from seawall.distributed.transactions._records import LogEntry
from seawall.distributed.transactions.tcc._state import CANCEL, CONFIRM, ENDS, TRY, TccState, fold


class TccKind:
    """Reads the records of TCCs."""

    name = "tcc"
    ends = ENDS

    def summary(self, entries: Sequence[LogEntry]) -> Summary:
        """Where the TCC stands."""
        state = fold(entries)
        settled = [state.of(name, CONFIRM).state == "done" or _is_cancelled(state, name) for name in state.shape]
        return Summary(
            state.name, state.state, state.phase == "finished", state.phase == "parked", state.reason,
            sum(settled), len(settled),
        )  # fmt: skip

    def words(self, entry: LogEntry) -> str:
        """What happened, in a few words."""
        data = entry.data
        match entry.what:
            case "begun":
                return f"tcc {data['name']}"
            case "started" | "done":
                return _call(entry) + (f", attempt {data['attempt']}" if entry.what == "started" else "")
            case "failed":
                return f"{_call(entry)}: {data['error']}{then_words(entry)}"
            case "decided":
                return f"to {data['to']}" + (f": {data['why']}" if data["why"] else "")
            case "finished":
                return str(data["state"])
        return ", ".join(str(value) for value in data.values() if value)

    def order(self, entries: Sequence[LogEntry], what: str) -> str:
        """Why a person may not order something now; empty when they may."""
        state = fold(entries)
        before = state.before if state.phase == "parked" else state.phase
        if state.phase == "finished":
            return f"it is {state.state}, and nothing more can happen to it"
        if what == "retry" and state.phase != "parked":
            return f"it is {state.phase}, not parked"
        if what == "compensate" and before == "confirming":
            return "it was decided to confirm it, and branches may have been confirmed"
        if what == "compensate" and before == "cancelling":
            return "it is cancelling already; order retry"
        return ""


def _is_cancelled(state: TccState, branch: str) -> bool:
    nothing_tried = state.phase == "finished" and state.of(branch, TRY).state in ("idle", "refused")
    return state.of(branch, CANCEL).state == "done" or nothing_tried


def _call(entry: LogEntry) -> str:
    return f"{entry.data['of']} of {entry.data['step']}"


KIND: Kind = TccKind()
