"""How much to take ahead. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple


class Spent(NamedTuple):
    """How the last lease went.

    Attributes:
        batch: Calls it held.
        used: Calls that were made of it.
        lasted_ns: How long, in nanoseconds.
        lapsed: Whether its time ended before its calls did.
    """

    batch: int
    used: int
    lasted_ns: int
    lapsed: bool


def next_batch(spent: Spent | None, ttl_ns: int, most: int) -> int:
    """As many calls as half a lease would use at the pace of the last one, at most twice as many as it had.

    Begins with one, so that who seldom calls keeps nothing from others; at least 1, at most `most`.
    """
    if spent is None:
        return 1
    if spent.lapsed:
        return min(most, max(1, spent.used))
    at_this_pace = math.ceil(spent.used * ttl_ns / 2 / max(1, spent.lasted_ns))
    return min(most, max(1, min(2 * spent.batch, at_this_pace)))
