"""What a hedge says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class Hedged(NamedTuple):
    """A call took long, and another copy of it was made.

    Units: seconds.

    Attributes:
        name: The hedge.
        copy: Which copy, from 2.
        after: How long the call had taken.
    """

    name: str
    copy: int
    after: float


class WonByCopy(NamedTuple):
    """A later copy gave the first good answer.

    Units: seconds.

    Attributes:
        name: The hedge.
        copy: Which copy, from 2.
        took: How long the caller waited altogether.
    """

    name: str
    copy: int
    took: float


class HedgeStats(NamedTuple):
    """A snapshot of one hedge.

    Attributes:
        name: The hedge.
        after: When a copy is made, in seconds; None while too few calls have been seen to know.
        calls: Calls that came in.
        hedged: Copies made.
        won_by_copy: Calls that a copy answered.
        over_budget: Copies not made because the budget had none left.
        too_late: Copies not made because the deadline left too little time.
        not_idempotent: Calls that may not be made twice.
        unlearned: Calls made before enough was known of their latency.
        crowded: Plain calls, and copies of them, for which no thread was free; such a call ran without a copy.
        running: Plain calls that run in threads, those with nobody waiting for them among them.
        let_through: Copies that were not made, by `shadow` or `enforce`.
        shadow: Whether none are.
    """

    name: str
    after: float | None
    calls: int
    hedged: int
    won_by_copy: int
    over_budget: int
    too_late: int
    not_idempotent: int
    unlearned: int
    crowded: int
    running: int
    let_through: int
    shadow: bool
