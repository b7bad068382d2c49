"""What a bulkhead says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class BulkheadRefused(NamedTuple):
    """A call was refused.

    Attributes:
        name: The bulkhead.
        state: "full" (the line was full), "waited" (max_wait was over) or "deadline" (the caller's deadline was).
        in_flight: Calls in flight at that moment.
        queued: Calls in line at that moment.
    """

    name: str
    state: str
    in_flight: int
    queued: int


class BulkheadStats(NamedTuple):
    """A snapshot of one bulkhead.

    Attributes:
        name: The bulkhead.
        max_concurrent: How many calls may be in flight.
        max_queue: How many may wait.
        in_flight: How many are; above max_concurrent after it was lowered, or while work outlives its caller.
        queued: How many wait.
        admitted: How many were admitted, at once or after waiting.
        refused: How many were refused.
        let_through: Refusals and waits that did not stand, by `shadow` or `enforce`.
        shadow: Whether none of them stands.
    """

    name: str
    max_concurrent: int
    max_queue: int
    in_flight: int
    queued: int
    admitted: int
    refused: int
    let_through: int
    shadow: bool
