"""What the log and the command line know of two-phase commits."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.distributed.transactions._kinds import Ends, Summary
from seawall.distributed.transactions._records import LogEntry
from seawall.distributed.transactions.two_phase._names import KIND_NAME, MEMBER_NAME

_STATES = {
    "begun": "preparing",
    "prepared": "prepared",
    "committed": "committing",
    "ended": "committed",
    "aborted": "aborted",
    "read_only": "read_only",
}


class TwoPhaseKind:
    """Reads the records of a coordinator; and those of a LoggedParticipant, which are called alike."""

    def __init__(self, name: str, *well: str) -> None:
        self.name = name
        self.ends = Ends(frozenset(well), frozenset({"aborted"}))

    def summary(self, entries: Sequence[LogEntry]) -> Summary:
        """Where it stands."""
        last = entries[-1]
        whose = entries[0].data.get("participants", ())
        return Summary(
            name=", ".join(whose) or str(entries[0].data.get("participant", "")),
            state=_STATES.get(last.what, last.what),
            finished=last.final,
            reason="voted no: " + ", ".join(last.data["against"]) if last.data.get("against") else "",
            done=len(entries),
            steps=3,
        )

    def words(self, entry: LogEntry) -> str:  # noqa: PLR0911 -- one for each word
        """One line of its history."""
        data = entry.data
        match entry.what:
            case "begun" if "participants" in data:
                return f"{', '.join(data['participants'])} asked to prepare"
            case "committed" if "to_tell" in data:
                return f"commit decided; {', '.join(data['to_tell'])} to be told"
            case "ended":
                return "committed, everybody knows"
            case "aborted" if data.get("against"):
                return f"aborted: {', '.join(data['against'])} voted no"
            case "ordered":
                return f"{data['by']} ordered to {data['to']}: {data['why']}"
            case "finished":
                return f"{data['state']}; participants that were not told are left to people"
        return entry.what

    def order(self, entries: Sequence[LogEntry], what: str) -> str:
        """A person may take it on themselves that participants end as the log says; no order changes what it says."""
        if entries[-1].final:
            return "it is over"
        if what != "resolve":
            return "its decision is in the log and nobody may change it; resume it, or resolve it by hand"
        return ""


KIND = TwoPhaseKind(KIND_NAME, "committed")
MEMBER_KIND = TwoPhaseKind(MEMBER_NAME, "committed", "read_only")
