"""What a timeout says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class TimedOut(NamedTuple):
    """A call's time was up.

    Units: seconds.

    Attributes:
        name: The timeout.
        after: The time the call was given.
        took: How long it took, when it ended by itself, too late; else None.
        by_deadline: The caller's deadline came before the timeout's own time.
    """

    name: str
    after: float
    took: float | None
    by_deadline: bool


class TimeoutStats(NamedTuple):
    """A snapshot of one timeout.

    Attributes:
        name: The timeout.
        seconds: The time each call is given.
        timed_out: Calls whose time was up.
        abandoned: Callees that still run in threads although nobody waits for them.
        let_through: Calls whose time was up, and that was let pass, by `shadow` or `enforce`.
        shadow: Whether all of them are.
    """

    name: str
    seconds: float
    timed_out: int
    abandoned: int
    let_through: int
    shadow: bool
