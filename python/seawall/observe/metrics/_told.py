"""Which metrics the statistics of guards become."""

from __future__ import annotations

from typing import NamedTuple

from seawall.observe.metrics._definition import Across


class Count(NamedTuple):
    """A field that only rises. With `of_all`, that of a shared object counts what all its users did."""

    field: str
    help: str
    of_all: bool = True


class Level(NamedTuple):
    """A field that goes up and down."""

    field: str
    help: str
    across: Across = "sum"


class Told(NamedTuple):
    """What one type of statistics becomes; the metrics are called `prefix_field`."""

    prefix: str
    counts: tuple[Count, ...]
    levels: tuple[Level, ...] = ()


_LET = Count("let_through", "Refusals that shadow or enforce did not let stand.", of_all=False)

TOLD: dict[str, Told] = {
    "LimitStats": Told(
        "seawall_limit",
        (Count("admitted", "Calls a limit admitted."), Count("refused", "Calls a limit refused.")),
        (
            Level("remaining", "Calls a limit would admit now.", "min"),
            Level("waiting", "Calls that wait for a limit."),
        ),
    ),
    "KeyedStats": Told(
        "seawall_keyed_limit",
        (
            Count("admitted", "Calls a limit by key admitted."),
            Count("refused", "Calls a limit by key refused."),
            Count("overflowed", "Of those, because there was no place for a new key."),
            Count("evicted", "Times a replenished key made room for another."),
        ),
        (
            Level("live", "Keys whose limit is not fully replenished.", "max"),
            Level("waiting", "Calls that wait for a limit by key."),
        ),
    ),
    "BreakerStats": Told(
        "seawall_breaker",
        (
            Count("successes", "Calls through a breaker that succeeded."),
            Count("failures", "Calls through a breaker that failed."),
            Count("slow", "Calls through a breaker that were slow."),
            Count("ignored", "Calls through a breaker that count neither way."),
            Count("refused", "Calls a breaker refused."),
            Count("late", "Answers that came after the state had changed."),
            Count("lost", "Probes that were never answered."),
            Count("transitions", "Changes of a breaker's state."),
            _LET,
        ),
        (
            Level("failure_ratio", "Failures of the calls in a breaker's window.", "max"),
            Level("share", "Share of calls a breaker admits now.", "min"),
        ),
    ),
    "RetryStats": Told(
        "seawall_retry",
        (
            Count("calls", "Calls that came in to a retry."),
            Count("attempts", "Attempts for them, first ones and retries."),
            Count("retries", "Retries begun."),
            Count("recovered", "Calls that succeeded after retries."),
            Count("gave_up", "Calls that failed after all attempts."),
            Count("refused_by_budget", "Of those, calls that the budget had no retry for."),
            Count("stood_back", "Calls inside another retry, which made one attempt."),
            Count("not_made", "Retries that shadow or enforce only counted."),
        ),
    ),
    "BudgetStats": Told(
        "seawall_retry_budget",
        (Count("refused", "Retries a budget refused."),),
        (Level("balance", "Retries a budget would allow now.", "min"),),
    ),
    "FallbackStats": Told(
        "seawall_fallback",
        (
            Count("passed", "Calls that needed no fallback."),
            Count("fell_back", "Calls that a fallback answered."),
            Count("exhausted", "Calls for which the whole chain failed."),
            _LET,
        ),
        (Level("remembered", "Results kept for a stale answer."),),
    ),
    "BulkheadStats": Told(
        "seawall_bulkhead",
        (Count("admitted", "Calls a bulkhead admitted."), Count("refused", "Calls a bulkhead refused."), _LET),
        (
            Level("in_flight", "Calls in a bulkhead."),
            Level("queued", "Calls that wait for a bulkhead."),
            Level("max_concurrent", "Calls that bulkheads have room for."),
        ),
    ),
    "AdaptiveStats": Told(
        "seawall_adaptive_limit",
        (
            Count("admitted", "Calls an adaptive limit admitted."),
            Count("refused", "Calls an adaptive limit refused."),
            Count("dropped", "Calls whose end said that there were too many."),
            Count("decisions", "Times an adaptive limit decided about itself."),
            _LET,
        ),
        (
            Level("limit", "Calls in flight that an adaptive limit allows."),
            Level("in_flight", "Calls in an adaptive limit."),
            Level("queued", "Calls that wait for an adaptive limit."),
        ),
    ),
    "TimeoutStats": Told(
        "seawall_timeout",
        (Count("timed_out", "Calls whose time was up."), _LET),
        (Level("abandoned", "Callees that still run although nobody waits for them."),),
    ),
    "HedgeStats": Told(
        "seawall_hedge",
        (
            Count("calls", "Calls that came in to a hedge."),
            Count("hedged", "Copies a hedge made."),
            Count("won_by_copy", "Calls that a copy answered."),
            Count("over_budget", "Copies not made as the budget had none left."),
            Count("too_late", "Copies not made as the deadline left too little time."),
            Count("crowded", "Plain calls or copies that no thread was free for."),
            _LET,
        ),
        (Level("running", "Plain calls of hedges that run in threads."),),
    ),
    "ThrottleStats": Told(
        "seawall_throttle",
        (
            Count("passed", "Calls through a throttle that were made."),
            Count("rejected", "Of those, calls that the service refused."),
            Count("refused", "Calls a throttle held back."),
            _LET,
        ),
    ),
    "Meter": Told(
        "seawall_throughput",
        (Count("requests", "Requests a meter counted."), Count("bytes", "Bytes a meter counted.")),
    ),
}
LABELS = ("name", "pipeline")
STATES = ("seawall_breaker_state", "1 for the state a breaker is in, 0 for the others.", (*LABELS, "state"))
