"""What limits say: a decision, and what they have done so far."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from seawall._core import limits as _core


class Decision(NamedTuple):
    """The full answer to one call; true when it is admitted.

    Units: `retry_after` and `reset_after` in seconds from the decision, exact to the nanosecond.

    Attributes:
        admitted: Whether the call may pass.
        limit: The most that can ever be admitted at once.
        remaining: What would still be admitted at this instant.
        retry_after: When the same call would be admitted if nobody else came; 0.0 when it is.
        reset_after: When everything will be as if nobody had ever called.
        name: The limit that decided.
        key: The key it decided for; None without keys.
    """

    admitted: bool
    limit: int
    remaining: int
    retry_after: float
    reset_after: float
    name: str
    key: Hashable = None

    def __bool__(self) -> bool:
        return self.admitted


class LimitStats(NamedTuple):
    """A snapshot of one limit. Counts cover all users of a shared limit; `waiting` only this process."""

    name: str
    settings: str
    admitted: int
    refused: int
    remaining: int
    waiting: int
    shared: str | None
    shadow: bool


class KeyedStats(NamedTuple):
    """A snapshot of a keyed limit. Counts cover all users of a shared table; `waiting` only this process.

    Attributes:
        live: Keys whose limit is not fully replenished.
        overflowed: Refusals because every place for a new key was taken by a live one; part of `refused`.
        evicted: Times a fully replenished key made room for another.
        bytes: Size of the table.
    """

    name: str
    settings: str
    admitted: int
    refused: int
    overflowed: int
    evicted: int
    live: int
    max_keys: int
    bytes: int
    waiting: int
    shared: str | None
    shadow: bool


_core.set_decision(Decision._make)
