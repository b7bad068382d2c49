"""A transaction as somebody has read it, and as somebody has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seawall.distributed.transactions._records import LogEntry
from seawall.engines import Claim
from seawall.errors import LeaseLost


class Key(NamedTuple):
    """Which transaction."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class History:
    """All records of a transaction, as they were when read.

    Attributes:
        key: Which.
        entries: In order; the first is "begun".
        last: The position of the last.
        finished: Its last record is final.
    """

    key: Key
    entries: tuple[LogEntry, ...]
    last: int
    finished: bool


class Owned:
    """A transaction that nobody else can write to, until `claim` is lost.

    Thread safety: one thread or task writes at a time; `lost` may be set by another.

    Attributes:
        key: Which.
        claim: The fence of every write.
        entries: All records so far.
        last: The position of the last.
        lost: Set when a renewal came too late: stop, another goes on.
        is_new: It was begun by this call.
    """

    __slots__ = ("claim", "entries", "is_new", "key", "last", "lost")

    def __init__(self, key: Key, claim: Claim, entries: Sequence[LogEntry], last: int, *, is_new: bool = False) -> None:
        self.key = key
        self.claim = claim
        self.entries = list(entries)
        self.last = last
        self.is_new = is_new
        self.lost: LeaseLost | None = None

    def history(self) -> History:
        """What has been written so far."""
        finished = bool(self.entries) and self.entries[-1].final
        return History(self.key, tuple(self.entries), self.last, finished)
