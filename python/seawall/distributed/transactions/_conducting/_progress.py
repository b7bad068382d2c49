"""How far what is called has come, and what comes next; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from seawall.distributed.transactions._records import LogEntry

Call = tuple[str, str]
"""A step, and which of its operations."""

MOST_CUTS = 10
"""So often an operation is begun again without an end, before somebody has to look why the process dies in it."""


class Progress(NamedTuple):
    """How far one operation of one step has come.

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

    @property
    def is_worn(self) -> bool:
        """Whether it is not to be begun again, unless it is under way here."""
        return self.state == "begun" and self.cuts >= MOST_CUTS

    def worn(self) -> str:
        """Why it is not."""
        return f"it was begun {self.cuts + 1} times and never came to an end; see why the process dies in it"

    def after(self, entry: LogEntry) -> Progress:
        """After one more record of it."""
        data = entry.data
        if entry.what == "started":
            cuts = self.cuts + 1 if self.state == "begun" else 0
            return self._replace(state="begun", cuts=cuts, since_us=self.since_us or entry.at_us)
        if entry.what == "done":
            return self._replace(state="done", cuts=0, result=data.get("result"))
        wait_us = data.get("wait")
        return self._replace(
            state="refused" if data.get("refused") else "given_up" if wait_us is None else "failed",
            attempts=self.attempts + 1,
            cuts=0,
            wait_us=wait_us or 0,
            due_us=entry.at_us + (wait_us or 0),
            error=data["error"],
        )

    def afresh(self) -> Progress:
        """With all its attempts again."""
        return self._replace(state="begun", attempts=0, cuts=0, since_us=0, due_us=0, wait_us=0)


IDLE = Progress()


def then_words(failed: LogEntry) -> str:
    """What follows from a failure, for a line of the history."""
    if failed.data.get("refused"):
        return " (refused)"
    wait = failed.data.get("wait")
    return f" ({failed.data.get('why', '')})" if wait is None else f" (again in {wait / 1e6:.3g} s)"


@dataclass(frozen=True, slots=True)
class Move:
    """What to do next.

    Args:
        start: Operations to begin now.
        wake_us: When to ask again although nothing ended, in Unix time; None when something under way must end first.
        then: What becomes of the transaction: "park", "finish", or a turn of its kind: a saga goes "back", a TCC is to
            "confirm" or to "cancel".
        why: Of that; for "finish" its outcome.
    """

    start: tuple[Call, ...] = ()
    wake_us: int | None = None
    then: Literal["", "back", "confirm", "cancel", "park", "finish"] = ""
    why: str = ""

    @property
    def is_turn(self) -> bool:
        """Whether it goes another way from here."""
        return self.then in ("back", "confirm", "cancel")


UNDER_WAY = Move()
