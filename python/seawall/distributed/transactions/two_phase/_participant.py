"""Who takes part in a transaction, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from seawall.distributed.transactions.two_phase._messages import Outcome, Vote


@runtime_checkable
class Participant(Protocol):
    """Something with a store of its own that can hold its part of a transaction ready, and then do or undo it.

    For tasks a participant may have `prepare_async`, `commit_async` and `abort_async` besides; where it has none, the
    methods run in a thread. It may have `begin(transaction)`, whose result `enlist` returns, and
    `prepared(transactions)`: what it holds ready, for recovery to find.

    Guarantees asked of it: once it has voted yes, it can do both, also after a crash, until it is told. Each method may
    be called again, also after a crash, and for a transaction it does not know: then `prepare` votes no, and `commit`
    and `abort` do nothing. Durable before it answers. `LoggedParticipant` makes one of a store that is not all of this.

    Attributes:
        name: 1 to 40 ASCII letters, digits, '-' and '_'; the same for ever.
    """

    name: str

    def prepare(self, transaction: str) -> Vote:
        """Hold the part ready, and vote. An exception is a no, and becomes the cause of what the caller gets."""

    def commit(self, transaction: str) -> None:
        """Do it; an exception means: tell me again."""

    def abort(self, transaction: str) -> None:
        """Undo it, prepared or not; an exception means: tell me again."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a transaction has ended.

    Attributes:
        id: Of the transaction.
        outcome: Committed, aborted, or in doubt: then `recover()` finds out which.
        untold: Participants that do not know yet; `recover()` tells them.
    """

    id: str
    outcome: Outcome
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A transaction that is not over.

    Attributes:
        id: Of the transaction.
        outcome: What the log says: COMMITTED when only participants are still to be told, else IN_DOUBT.
        participants: Who is to be told, or holds a part ready.
        why: For people: under way, still to be told, or of a coordinator that this one cannot speak for.
    """

    id: str
    outcome: Outcome
    participants: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery has done.

    Attributes:
        committed: Transactions finished as committed: all participants know.
        aborted: Transactions finished as aborted.
        in_doubt: What is left: not reached, in the hands of a living coordinator, or another's.
    """

    committed: tuple[str, ...]
    aborted: tuple[str, ...]
    in_doubt: tuple[InDoubt, ...]

    def __iter__(self) -> Iterator[Result]:
        """Those that are over."""
        for outcome, ids in ((Outcome.COMMITTED, self.committed), (Outcome.ABORTED, self.aborted)):
            yield from (Result(id, outcome) for id in ids)
