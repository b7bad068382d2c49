"""What a detector says of one value."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """What a detector says of one value.

    Attributes:
        anomalous: Whether it is out of the ordinary.
        score: How far out, as a share of what is tolerated: above 1 it is anomalous. 0 while nothing can be said.
        expected: What was expected; None where that is not known.
        ready: Whether the detector knows enough to judge; False during warm-up.
        reason: Why, for people; empty where there is nothing to say.
    """

    anomalous: bool
    score: float
    expected: float | None
    ready: bool
    reason: str


WARMING = Verdict(False, 0.0, None, False, "warming up")
MISSING = Verdict(False, 0.0, None, True, "no value")
