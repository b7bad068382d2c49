"""What a throttle says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple

from seawall.guard.throttle._criticality import Criticality


class Held(NamedTuple):
    """A call was not made.

    Attributes:
        name: The throttle.
        criticality: Of the call.
        chance: How likely that was, 0 to 1.
        retry_after: When the window moves on, in seconds.
    """

    name: str
    criticality: Criticality
    chance: float
    retry_after: float


class ClassStats(NamedTuple):
    """What the window holds of one criticality.

    Attributes:
        requests: Calls that were asked for and have ended, those not made among them.
        accepts: Of those, the ones that the service accepted.
        chance: How likely the next call is not to be made, 0 to 1.
    """

    requests: int
    accepts: int
    chance: float


class ThrottleStats(NamedTuple):
    """A snapshot of one throttle.

    Attributes:
        name: The throttle.
        passed: Calls that were made and whose answer is known.
        rejected: Of those, the ones that the service refused.
        refused: Calls that were not made.
        classes: The window, by criticality.
        let_through: Calls that were made nevertheless, by `shadow` or `enforce`.
        shadow: Whether all are.
    """

    name: str
    passed: int
    rejected: int
    refused: int
    classes: dict[Criticality, ClassStats]
    let_through: int
    shadow: bool
