"""What a try, confirm or cancel is told."""

from __future__ import annotations

import copy
from typing import Any

from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.barrier import Barrier
from seawall.distributed.transactions.tcc._state import TRY, TccState


class BranchContext:
    """What a try, confirm or cancel is called with.

    Attributes:
        id: Of the TCC.
        tcc: Name of its definition.
        branch: Name of the branch.
        operation: "try", "confirm" or "cancel".
        attempt: From 1; grows with each failure, not with an interruption.
        key: Idempotency key: "id/branch/operation"; the same for every attempt.
    """

    __slots__ = ("_owned", "_state", "attempt", "branch", "id", "key", "operation", "tcc")

    def __init__(self, owned: Owned, state: TccState, branch: str, operation: str) -> None:
        self._owned = owned
        self._state = state
        self.id = owned.key.id
        self.tcc = state.name
        self.branch = branch
        self.operation = operation
        self.attempt = state.of(branch, operation).attempts + 1
        self.key = f"{self.id}/{branch}/{operation}"

    @property
    def input(self) -> Any:
        """What the TCC was begun with; a copy."""
        return copy.deepcopy(self._state.input)

    @property
    def results(self) -> dict[str, Any]:
        """What the tries that are done returned, by branch; a copy."""
        return copy.deepcopy(self._state.results())

    @property
    def result(self) -> Any:
        """For a confirm or cancel: what the try of its branch returned; None also where that is not known."""
        return copy.deepcopy(self._state.of(self.branch, TRY).result)

    @property
    def barrier(self) -> Barrier:
        """What this operation passes inside its own database's transaction, so that its effect happens once."""
        # Ids are unique in their kind only, and a saga of the same id may pass barriers in the same database.
        return Barrier(f"tcc/{self.id}", self.branch, self.operation)

    @property
    def lost(self) -> bool:
        """Whether another coordinator has taken the TCC over, because this one was away: stop, nothing will count."""
        return self._owned.lost is not None

    def __repr__(self) -> str:
        return f"<BranchContext {self.key!r} of tcc {self.tcc!r}, attempt {self.attempt}>"
