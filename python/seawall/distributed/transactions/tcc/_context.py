"""What a try, confirm or cancel is told."""

from __future__ import annotations

from seawall.distributed.transactions._conducting import Call, CallContext
from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.barrier import Barrier
from seawall.distributed.transactions.tcc._state import TccState


class BranchContext(CallContext[TccState]):
    """What a try, confirm or cancel is called with.

    Attributes:
        id: Of the TCC.
        tcc: Name of its definition.
        branch: Name of the branch.
        operation: "try", "confirm" or "cancel".
        attempt: From 1; grows with each failure, not with an interruption.
        key: Idempotency key: "id/branch/operation"; the same for every attempt.
    """

    __slots__ = ("branch", "tcc")

    def __init__(self, owned: Owned, state: TccState, call: Call) -> None:
        self.tcc = state.name
        self.branch, operation = call
        super().__init__(owned, state, call, f"{owned.key.id}/{self.branch}/{operation}")

    @property
    def barrier(self) -> Barrier:
        """What this operation passes inside its own database's transaction, so that its effect happens once."""
        # Ids are unique in their kind only, and a saga of the same id may pass barriers in the same database.
        return Barrier(f"tcc/{self.id}", self.branch, self.operation)
