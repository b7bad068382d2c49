"""What limits across machines tell, and what they have done so far."""

from __future__ import annotations

from typing import NamedTuple


class AwayChanged(NamedTuple):
    """The engine is away for this limit, or is back.

    Attributes:
        name: The limit.
        away: Whether calls are now decided without the engine.
        policy: How they are: "open", "closed" or "local share".
        error: What the engine's failure was; None when it is back.
    """

    name: str
    away: bool
    policy: str
    error: str | None


class DistributedStats(NamedTuple):
    """A snapshot of a limit across machines. Counts are those of this object, in this process.

    Attributes:
        name: The limit.
        settings: What it is configured as.
        engine: Where its state is.
        admitted: Calls admitted, those decided without the engine included.
        refused: Calls refused, likewise.
        waiting: Callers of this process that stand in line.
        shadow: Decides and counts, but refuses nobody.
        away: Whether the engine was away at the last call.
        away_admitted: Calls admitted without the engine.
        away_refused: Calls refused without the engine.
        outages: Times the engine went away.
    """

    name: str
    settings: str
    engine: str
    admitted: int
    refused: int
    waiting: int
    shadow: bool
    away: bool
    away_admitted: int
    away_refused: int
    outages: int


class LeasedStats(NamedTuple):
    """A snapshot of a leased limit: as `DistributedStats`, and what this process has taken ahead.

    Attributes:
        held: Calls that are here now.
        batch: Calls in the present lease when it came; 0 when there is none.
        most: The largest batch.
    """

    name: str
    settings: str
    engine: str
    admitted: int
    refused: int
    waiting: int
    shadow: bool
    away: bool
    away_admitted: int
    away_refused: int
    outages: int
    held: int
    batch: int
    most: int
