"""How a saga stands, for its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from seawall.distributed.transactions._owned import History
from seawall.distributed.transactions.saga._state import DONE, ENDS, fold
from seawall.errors import TransactionError


@dataclass(frozen=True, slots=True)
class SagaResult:
    """How a saga stands, or ended.

    Attributes:
        id: Of the saga.
        saga: Name of its definition.
        state: done (all steps), compensated (all undone), resolved (by a person), parked (waits for one), or, when it
            has not come to an end here, running or compensating.
        results: What the actions that are done returned, by step.
        reason: Why it went back or is parked; empty when it went well.
    """

    id: str
    saga: str
    state: Literal["running", "compensating", "parked", "done", "compensated", "resolved"]
    results: Mapping[str, Any]
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether all steps are done."""
        return self.state == DONE

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return ENDS.is_over(self.state)

    def raise_unless_done(self) -> Self:
        """The result itself when all steps are done.

        Raises:
            TransactionError: They are not; the message says why.
        """
        if self.ok:
            return self
        raise TransactionError(
            f"saga {self.saga!r} {self.id!r} is {self.state}: {self.reason or 'it has not come to an end yet'}",
            kind="saga",
            id=self.id,
        )


def result_of(history: History) -> SagaResult:
    """How a saga stands by its records."""
    state = fold(history.entries)
    return SagaResult(history.key.id, state.name, state.state, state.results(), state.reason)  # type: ignore[arg-type]
