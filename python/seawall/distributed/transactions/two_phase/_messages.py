"""What coordinator and participants say to each other, and what a machine asks its driver to do."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Message(StrEnum):
    """One word of the protocol; down to participants the first three, up to the coordinator the others."""

    PREPARE = "prepare"
    COMMIT = "commit"
    ABORT = "abort"
    YES = "yes"
    NO = "no"
    READ_ONLY = "read_only"
    ACKNOWLEDGE = "acknowledge"
    ASK = "ask"


class Vote(StrEnum):
    """What a participant answers when it is asked to prepare.

    Attributes:
        YES: It can do either from now on, also after a crash, and is bound until it is told.
        NO: It cannot; it has undone its part.
        READ_ONLY: It has changed nothing and is done; it need not be told how the others end.
    """

    YES = "yes"
    NO = "no"
    READ_ONLY = "read_only"


class Outcome(StrEnum):
    """How a transaction has ended, as far as can be known.

    Attributes:
        COMMITTED: Decided and logged; whoever has not been told yet will be.
        ABORTED: It never was or will be.
        IN_DOUBT: Not known here and now; it is one of the others, and recovery finds out.
    """

    COMMITTED = "committed"
    ABORTED = "aborted"
    IN_DOUBT = "in_doubt"


class Tell(NamedTuple):
    """Send a message; it may be lost, and may arrive twice or late."""

    to: str
    message: Message


class Force(NamedTuple):
    """Have a record on disk before anything that follows; `to_tell` are those who must learn of a commit."""

    record: str
    to_tell: tuple[str, ...] = ()


class Forget(NamedTuple):
    """Nobody will ask any more: the log may forget the transaction."""


class Finish(NamedTuple):
    """Make the prepared part real, or undo it."""

    commit: bool


Action = Tell | Force | Forget | Finish

PREPARED = "prepared"
COMMITTED = "committed"
COORDINATOR = "coordinator"
"""To whom a participant's messages go."""
