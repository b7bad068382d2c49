"""What is known of who leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from seawall.engines import Entry


class Leader(NamedTuple):
    """One leads.

    Attributes:
        candidate: What it said about itself.
        term: Its fencing token: greater than that of every leader before.
    """

    candidate: str
    term: int


class NoLeader(NamedTuple):
    """Nobody leads, as far as the engine knows.

    Attributes:
        revision: Of the engine, when that was so.
    """

    revision: int


class LeaderUnknown(NamedTuple):
    """The engine cannot be asked: whoever led may lead or not.

    Attributes:
        last: What was known before.
        reason: Why it cannot be asked.
    """

    last: Leader | NoLeader | None
    reason: str


Standing = Leader | NoLeader | LeaderUnknown


def leader_of(entries: Iterable[Entry], revision: int) -> Leader | NoLeader:
    """Whose candidacy is the oldest leads."""
    oldest = min(entries, key=lambda entry: entry.revision, default=None)
    if oldest is None:
        return NoLeader(revision)
    return Leader(oldest.value.decode(errors="replace"), oldest.revision)
