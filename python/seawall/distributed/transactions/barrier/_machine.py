"""What may run, decided from what ran before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from seawall.errors import OutOfOrder

UNDONE_BY = {"try": "cancel", "action": "compensation"}
UNDOES = {undo: begin for begin, undo in UNDONE_BY.items()}
OPERATIONS = ("try", "confirm", "cancel", "action", "compensation")
EMPTY = "empty"
NOTHING = "nothing"


class Verdict(Enum):
    """What a barrier says to an operation.

    Attributes:
        run: It comes for the first time: run it in this transaction.
        duplicate: It has run already and was committed: do nothing, it succeeded.
        empty: A cancel or compensation of what never ran: do nothing; what it would undo is refused from now on.
        late: A try or action after its cancel or compensation: do nothing, ever.
    """

    run = "run"
    duplicate = "duplicate"
    empty = "empty"
    late = "late"


@dataclass(frozen=True, slots=True)
class Passage:
    """The answer of a barrier; true when the operation is to run.

    Attributes:
        verdict: Why, or why not.
        result: What the try or action of this branch has kept (`Barrier.keep`); None when nothing.
    """

    verdict: Verdict
    result: bytes | None = None

    def __bool__(self) -> bool:
        return self.verdict is Verdict.run


def passed(state: str, operation: str) -> tuple[Verdict, str] | None:
    """The verdict and the next state of a branch; None when the operation can never follow on that state.

    Args:
        state: The operation that ran last, `empty` after an undo of nothing, or `nothing`.
        operation: What asks.
    """
    if operation in UNDONE_BY:
        return _begun(state, operation)
    if operation in UNDOES:
        return _undone(state, operation)
    return {"try": (Verdict.run, "confirm"), "confirm": (Verdict.duplicate, "confirm")}.get(state)


def _begun(state: str, begin: str) -> tuple[Verdict, str] | None:
    if state == NOTHING:
        return Verdict.run, begin
    if state == begin or (state, begin) == ("confirm", "try"):
        return Verdict.duplicate, state
    return (Verdict.late, state) if state in (EMPTY, UNDONE_BY[begin]) else None


def _undone(state: str, undo: str) -> tuple[Verdict, str] | None:
    if state == NOTHING:
        return Verdict.empty, EMPTY
    if state in (EMPTY, undo):
        return Verdict.duplicate, state
    return (Verdict.run, undo) if state == UNDOES[undo] else None


def out_of_order(transaction_id: str, branch: str, operation: str, state: str) -> OutOfOrder:
    """The error for an operation that can never follow on a state."""
    before = "without its try" if state in (NOTHING, EMPTY) else f"after its {state}"
    return OutOfOrder(
        f"{operation} of branch {branch!r} of transaction {transaction_id!r} came {before}; nothing was done: "
        "see who sent it, that every operation of the branch passes the same barrier, and that rows of the barrier "
        "are kept longer than transactions last"
    )
