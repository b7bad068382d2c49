"""What an action or compensation is told."""

from __future__ import annotations

import copy
from typing import Any

from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.barrier import Barrier
from seawall.distributed.transactions.saga._state import ACTION, SagaState


class StepContext:
    """What an action or compensation is called with.

    Attributes:
        id: Of the saga.
        saga: Name of its definition.
        step: Name of the step.
        operation: "action" or "compensation".
        attempt: From 1; grows with each failure, not with an interruption.
        key: Idempotency key: "id/step", of a compensation "id/step/compensation"; the same for every attempt.
    """

    __slots__ = ("_owned", "_state", "attempt", "id", "key", "operation", "saga", "step")

    def __init__(self, owned: Owned, state: SagaState, step: str, operation: str) -> None:
        self._owned = owned
        self._state = state
        self.id = owned.key.id
        self.saga = state.name
        self.step = step
        self.operation = operation
        self.attempt = state.of(step, operation).attempts + 1
        self.key = f"{self.id}/{step}" + ("" if operation == ACTION else f"/{operation}")

    @property
    def input(self) -> Any:
        """What the saga was begun with; a copy."""
        return copy.deepcopy(self._state.input)

    @property
    def results(self) -> dict[str, Any]:
        """What the steps that are done returned; a copy."""
        return copy.deepcopy(self._state.results())

    @property
    def result(self) -> Any:
        """For a compensation: what its action returned; None also where that is not known."""
        return copy.deepcopy(self._state.of(self.step, ACTION).result)

    @property
    def barrier(self) -> Barrier:
        """What this operation passes inside its own database's transaction, so that its effect happens once."""
        return Barrier(self.id, self.step, self.operation)

    @property
    def lost(self) -> bool:
        """Whether another orchestrator has taken the saga over, because this one was away: stop, nothing will count."""
        return self._owned.lost is not None

    def __repr__(self) -> str:
        return f"<StepContext {self.key!r} of saga {self.saga!r}, attempt {self.attempt}>"
