"""Kinds of transactions: what the command line and the log have to know of each."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seawall.distributed.transactions._records import LogEntry

# Loaded when first asked for; the module of a kind must not need its engine or its definitions.
_HOMES = {
    "saga": "seawall.distributed.transactions.saga:KIND",
    "tcc": "seawall.distributed.transactions.tcc:KIND",
    "2pc": "seawall.distributed.transactions.two_phase:KIND",
    "2pc_member": "seawall.distributed.transactions.two_phase:MEMBER_KIND",
}


PARKED, RESOLVED = "parked", "resolved"
"""Of every kind: nothing happens until a person decides; a person has declared it over."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The states of one kind of transaction that say how it ends by itself.

    Attributes:
        well: It has ended as it was meant to.
        back: It has ended with nothing done, or all undone.
        going_back: On its way there.
    """

    well: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()
    going_back: frozenset[str] = frozenset()

    def has_ended(self, state: str) -> bool:
        """Whether it has come to an end by itself."""
        return state in self.well or state in self.back

    def is_over(self, state: str) -> bool:
        """Whether nothing more will happen, whoever ended it."""
        return state == RESOLVED or self.has_ended(state)


@dataclass(frozen=True, slots=True)
class Summary:
    """What people see of a transaction in a list.

    Attributes:
        name: Of its definition: "order".
        state: One word of its kind: running, compensating, parked, done...
        finished: Nothing more will happen.
        parked: Nothing more will happen until somebody decides.
        reason: Why it is parked or went back; empty when it went well.
        done: Steps that are done.
        steps: Steps altogether.
    """

    name: str
    state: str
    finished: bool = False
    parked: bool = False
    reason: str = ""
    done: int = 0
    steps: int = 0


class Kind(Protocol):
    """Reads the records of one kind of transaction; pure.

    Attributes:
        name: In stream names and on the command line: one word.
        ends: Which of its states are ends.
    """

    name: str
    ends: Ends

    def summary(self, entries: Sequence[LogEntry]) -> Summary:
        """Where the transaction stands; `entries` are all of its records, at least the first."""

    def words(self, entry: LogEntry) -> str:
        """What happened, in a few words for a line of its history."""

    def order(self, entries: Sequence[LogEntry], what: str) -> str:
        """Why a person may not order "park", "resolve", "compensate" or "retry" now; empty when they may."""


def kind_of(name: str) -> Kind | None:
    """The kind of that name; None when this seawall knows none."""
    home = _HOMES.get(name)
    if home is None:
        return None
    module, _, attribute = home.partition(":")
    kind: Kind = getattr(importlib.import_module(module), attribute)
    return kind


def kinds() -> tuple[str, ...]:
    """The names of all kinds."""
    return tuple(_HOMES)
