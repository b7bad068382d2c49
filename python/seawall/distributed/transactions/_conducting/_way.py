"""What a kind of transaction has of its own; everything else is the conductor's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from seawall.distributed.transactions._conducting._course import Task
from seawall.distributed.transactions._conducting._definitions import Definition
from seawall.distributed.transactions._conducting._progress import Call, Move, Progress
from seawall.distributed.transactions._owned import History, Owned
from seawall.distributed.transactions._records import LogEntry


class State(Protocol):
    """Where a transaction stands: the fold of its records."""

    @property
    def name(self) -> str:
        """Of its definition."""

    @property
    def input(self) -> Any:
        """As it was begun with."""

    @property
    def shape(self) -> Any:
        """Of its definition when it was begun."""

    @property
    def phase(self) -> str:
        """What it does; "parked" and "finished" are the same for all kinds."""

    def of(self, step: str, operation: str, /) -> Progress:
        """How far an operation has come."""

    def results(self) -> dict[str, Any]:
        """What was returned, by step, for the steps that follow."""


class Outcome(Protocol):
    """How a transaction stands, for its caller."""

    @property
    def state(self) -> str:
        """One word."""

    @property
    def finished(self) -> bool:
        """Nothing more will happen."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A worker could not go on with a transaction, or not look for any; it tries again.

    Args:
        id: Of the transaction; empty when none could be looked for.
        error: Why.
    """

    id: str
    error: BaseException


D = TypeVar("D", bound=Definition)
S = TypeVar("S", bound=State)
R = TypeVar("R", bound=Outcome)
T = TypeVar("T", bound=Trouble)


@dataclass(frozen=True, slots=True)
class Way(Generic[D, S, R, T]):
    """How one kind of transaction goes; pure functions.

    Attributes:
        kind: Its name in the log.
        conductor: What runs it, for people: "orchestrator".
        definition: The type of its definitions.
        plan: How it is done, as the first record keeps it.
        fold: The state that records lead to.
        apply: The state after one more record.
        next_move: What to do next; told the time in Unix microseconds and what is under way here.
        turn: The word and the data of the record of a `Move` that turns.
        task: What to call, and what it is told.
        result: The type of what callers are told.
        result_of: What they are told of a history.
        trouble: The type of what is told of a worker's trouble.
    """

    kind: str
    conductor: str
    definition: type[D]
    plan: Callable[[D], Mapping[str, Any]]
    fold: Callable[[Iterable[LogEntry]], S]
    apply: Callable[[S, LogEntry], S]
    next_move: Callable[[D, S, int, Set[Call]], Move]
    turn: Callable[[Move], tuple[str, Mapping[str, Any]]]
    task: Callable[[D, Owned, S, Call], Task]
    result: type[R]
    result_of: Callable[[History], R]
    trouble: type[T]
