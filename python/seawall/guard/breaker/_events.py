"""What a circuit breaker tells, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class StateChanged(NamedTuple):
    """The breaker is in another state than this process last knew, whoever changed it.

    Attributes:
        name: The breaker.
        before: The state before.
        after: The state now.
        trips: Openings in a row.
    """

    name: str
    before: str
    after: str
    trips: int


class CallRefused(NamedTuple):
    """A call was refused.

    Attributes:
        name: The breaker.
        state: Its state.
        retry_after: Seconds until a call may pass; None while forced open.
    """

    name: str
    state: str
    retry_after: float | None


class BreakerStats(NamedTuple):
    """A snapshot. Counts cover all users of a shared breaker.

    Attributes:
        name: The breaker.
        state: Its state.
        calls: Calls in the window, of them `window_failures`, `window_slow`, and `consecutive` failures in a row.
        failure_ratio: Of the calls in the window; 0.0 when there are none.
        share: Of calls admitted now: 1.0 closed, less while recovering, 0.0 open.
        open_for: Seconds until an open breaker tries again.
        trips: Openings in a row.
        late: Answers that came after the state had changed and changed nothing.
        lost: Probes that were never answered.
        let_through: Refusals that shadow or enforce did not let stand, by this object.
    """

    name: str
    state: str
    calls: int
    window_failures: int
    window_slow: int
    consecutive: int
    failure_ratio: float
    share: float
    trips: int
    open_for: float | None
    successes: int
    failures: int
    slow: int
    ignored: int
    refused: int
    late: int
    transitions: int
    lost: int
    let_through: int
    shared: str | None
