"""What an adaptive limit says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class LimitChanged(NamedTuple):
    """The limit was moved at the end of a window.

    Attributes:
        name: The adaptive limit.
        before: What it was.
        after: What it is.
        why: "grown" and "shrunk" by the algorithm, "dropped" (calls were), "slow" (AIMD's slow_after), "probing" (a
            step down, to see whether latency follows), "probed" and "abandoned" (back up after a probe).
    """

    name: str
    before: float
    after: float
    why: str


class AdaptiveStats(NamedTuple):
    """A snapshot of one adaptive limit.

    Attributes:
        name: The adaptive limit.
        limit: How many calls may be in flight now.
        max_queue: How many may wait.
        in_flight: How many are; above the limit after it went down.
        queued: How many wait.
        admitted: How many were admitted, at once or after waiting.
        refused: How many were refused.
        let_through: Refusals and waits that did not stand, by `shadow` or `enforce`.
        shadow: Whether none of them stands.
        phase: "starting" (grows fast until calls begin to wait for each other), "steady", "probing" (going down while
            latency follows) or "doubting" (once more, because it did not).
        baseline: What a call takes with little in flight, in seconds, as far as is known; None before the first window.
        latency: What calls took in the last window, in seconds; None before it.
        samples: Calls that ended well.
        dropped: Calls that were too slow, or refused by the callee.
        ignored: Calls that taught nothing: cancelled, or failed for another reason.
        late: Calls that ended after the window in which they began.
        decisions: Windows that were decided on.
        discarded: Windows that gathered too few calls.
    """

    name: str
    limit: int
    max_queue: int
    in_flight: int
    queued: int
    admitted: int
    refused: int
    let_through: int
    shadow: bool
    phase: str
    baseline: float | None
    latency: float | None
    samples: int
    dropped: int
    ignored: int
    late: int
    decisions: int
    discarded: int
