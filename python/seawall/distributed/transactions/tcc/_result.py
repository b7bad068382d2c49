"""How a TCC stands, for its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from seawall.distributed.transactions._owned import History
from seawall.distributed.transactions.tcc._state import CONFIRMED, ENDS, fold
from seawall.errors import TransactionError


@dataclass(frozen=True, slots=True)
class TccResult:
    """How a TCC stands, or ended.

    Attributes:
        id: Of the TCC.
        tcc: Name of its definition.
        state: confirmed (all branches), cancelled (all), resolved (by a person), parked (waits for one), or, when it
            has not come to an end here, trying, confirming or cancelling.
        results: What the tries that are done returned, by branch.
        reason: Why it is cancelled or parked; empty when it went well.
    """

    id: str
    tcc: str
    state: Literal["trying", "confirming", "cancelling", "parked", "confirmed", "cancelled", "resolved"]
    results: Mapping[str, Any]
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether all branches are confirmed."""
        return self.state == CONFIRMED

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return ENDS.is_over(self.state)

    def raise_unless_confirmed(self) -> Self:
        """The result itself when all branches are confirmed.

        Raises:
            TransactionError: They are not; the message says why.
        """
        if self.ok:
            return self
        raise TransactionError(
            f"tcc {self.tcc!r} {self.id!r} is {self.state}: {self.reason or 'it has not come to an end yet'}",
            kind="tcc",
            id=self.id,
        )


def result_of(history: History) -> TccResult:
    """How a TCC stands by its records."""
    state = fold(history.entries)
    return TccResult(history.key.id, state.name, state.state, state.results(), state.reason)  # type: ignore[arg-type]
