"""What every function of a transaction is told."""

from __future__ import annotations

import copy
from typing import Any, Generic

from seawall.distributed.transactions._conducting._progress import Call
from seawall.distributed.transactions._conducting._way import S
from seawall.distributed.transactions._owned import Owned


class CallContext(Generic[S]):
    """What a function is called with; each kind adds its own names.

    Attributes:
        id: Of the transaction.
        operation: Which of the operations of its step.
        attempt: From 1; grows with each failure, not with an interruption.
        key: Idempotency key; the same for every attempt.
    """

    __slots__ = ("_owned", "_state", "_step", "attempt", "id", "key", "operation")

    def __init__(self, owned: Owned, state: S, call: Call, key: str) -> None:
        self._owned = owned
        self._state = state
        self._step, self.operation = call
        self.id = owned.key.id
        self.attempt = state.of(*call).attempts + 1
        self.key = key

    @property
    def input(self) -> Any:
        """What the transaction was begun with; a copy."""
        return copy.deepcopy(self._state.input)

    @property
    def results(self) -> dict[str, Any]:
        """What the actions, or the tries, that are done returned, by step; a copy."""
        return copy.deepcopy(self._state.results())

    @property
    def result(self) -> Any:
        """For what undoes or makes good: what its own step returned; None also where that is not known."""
        return copy.deepcopy(self._state.results().get(self._step))

    @property
    def lost(self) -> bool:
        """Whether another has taken the transaction over, because this process was away: stop, nothing will count."""
        return self._owned.lost is not None

    def __repr__(self) -> str:
        kind = self._owned.key.kind
        return f"<{type(self).__name__} {self.key!r} of {kind} {self._state.name!r}, attempt {self.attempt}>"
