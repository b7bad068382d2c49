"""What an action or compensation is told."""

from __future__ import annotations

from seawall.distributed.transactions._conducting import Call, CallContext
from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.barrier import Barrier
from seawall.distributed.transactions.saga._state import ACTION, SagaState


class StepContext(CallContext[SagaState]):
    """What an action or compensation is called with.

    Attributes:
        id: Of the saga.
        saga: Name of its definition.
        step: Name of the step.
        operation: "action" or "compensation".
        attempt: From 1; grows with each failure, not with an interruption.
        key: Idempotency key: "id/step", of a compensation "id/step/compensation"; the same for every attempt.
    """

    __slots__ = ("saga", "step")

    def __init__(self, owned: Owned, state: SagaState, call: Call) -> None:
        self.saga = state.name
        self.step, operation = call
        key = f"{owned.key.id}/{self.step}" + ("" if operation == ACTION else f"/{operation}")
        super().__init__(owned, state, call, key)

    @property
    def barrier(self) -> Barrier:
        """What this operation passes inside its own database's transaction, so that its effect happens once."""
        return Barrier(self.id, self.step, self.operation)
