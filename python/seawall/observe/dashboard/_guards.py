"""Guards as rows, from the metrics that they publish: of this process, or of all workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from seawall.observe._snapshot import Snapshot
from seawall.observe.dashboard._rows import GuardRow, Level

_Key = tuple[str, str]
_Values = dict[str, float]


class _Kind(NamedTuple):
    """How a kind of guard is shown.

    Attributes:
        name: What it is called.
        prefix: What its metrics begin with.
        passed: Fields whose sum passed.
        refused: Fields whose sum did not.
        state: A word for its state and how bad that is, from its values.
        detail: More, for people, from its values.
    """

    name: str
    prefix: str
    passed: tuple[str, ...]
    refused: tuple[str, ...]
    state: Callable[[_Values], tuple[str, Level]] | None = None
    detail: Callable[[_Values], str] | None = None


def _bulkhead_state(values: _Values) -> tuple[str, Level]:
    room, used = values.get("max_concurrent", values.get("limit", 0)), values.get("in_flight", 0)
    if not room:
        return "", "good"
    return f"{used:,.0f} of {room:,.0f}", "warning" if used >= 0.8 * room else "good"


def _said(values: _Values, *words: tuple[str, str]) -> str:
    return ", ".join(f"{values[field]:,.0f} {word}" for field, word in words if values.get(field))


def _breaker_said(values: _Values) -> str:
    return f"{values['failure_ratio']:.0%} failures" if values.get("failure_ratio") else ""


def _limit_said(values: _Values) -> str:
    return ", ".join([f"{values.get('remaining', 0):,.0f} left", *filter(None, [_said(values, ("waiting", "wait"))])])


def _keyed_said(values: _Values) -> str:
    return _said(values, ("live", "keys are not full"), ("waiting", "wait"), ("overflowed", "without a place"))


def _retry_said(values: _Values) -> str:
    return _said(values, ("retries", "retries"), ("recovered", "recovered"))


_KINDS = (
    _Kind("breaker", "seawall_breaker_", ("successes", "failures", "ignored"), ("refused",), detail=_breaker_said),
    _Kind("limit", "seawall_limit_", ("admitted",), ("refused",), detail=_limit_said),
    _Kind("limit by key", "seawall_keyed_limit_", ("admitted",), ("refused",), detail=_keyed_said),
    _Kind("bulkhead", "seawall_bulkhead_", ("admitted",), ("refused",), _bulkhead_state,
          lambda values: _said(values, ("queued", "wait"))),
    _Kind("adaptive limit", "seawall_adaptive_limit_", ("admitted",), ("refused",), _bulkhead_state,
          lambda values: _said(values, ("queued", "wait"))),
    _Kind("retry", "seawall_retry_", ("calls",), ("gave_up",), detail=_retry_said),
    _Kind("retry budget", "seawall_retry_budget_", (), ("refused",),
          detail=lambda values: _said(values, ("balance", "left"))),
    _Kind("timeout", "seawall_timeout_", (), ("timed_out",),
          detail=lambda values: _said(values, ("abandoned", "still run"))),
    _Kind("hedge", "seawall_hedge_", ("calls",), (),
          detail=lambda values: _said(values, ("hedged", "hedged"), ("won_by_copy", "won by a copy"))),
    _Kind("throttle", "seawall_throttle_", ("passed",), ("refused",),
          detail=lambda values: _said(values, ("rejected", "refused by the service"))),
    _Kind("fallback", "seawall_fallback_", ("passed", "fell_back"), ("exhausted",),
          detail=lambda values: _said(values, ("fell_back", "answered instead"))),
)  # fmt: skip
_STATES: dict[str, Level] = {
    "closed": "good", "open": "bad", "forced_open": "bad", "half_open": "warning", "recovering": "warning",
    "disabled": "unknown", "metrics_only": "unknown",
}  # fmt: skip
_ORDER: dict[Level, int] = {"bad": 0, "warning": 1, "unknown": 2, "good": 3}


def guard_rows(snapshot: Snapshot | None) -> tuple[GuardRow, ...]:
    """The guards that published metrics, the worst first.

    Example:
        >>> from seawall import TokenBucket
        >>> from seawall.observe.metrics import Metrics
        >>> metrics, limit = Metrics(), TokenBucket(100, burst=20, name="api")
        >>> metrics.instrument(limit)
        >>> limit.try_acquire()
        True
        >>> guard_rows(metrics.snapshot())[0].passed
        1
    """
    if snapshot is None:
        return ()
    states = _states(snapshot)
    rows = [
        _row(kind, key, values, states.get(key) if kind.name == "breaker" else None)
        for kind in _KINDS
        for key, values in _values(snapshot, kind.prefix).items()
    ]
    return tuple(sorted(rows, key=lambda row: (_ORDER[row.level], row.kind, row.name)))


def _values(snapshot: Snapshot, prefix: str) -> dict[_Key, _Values]:
    found: dict[_Key, _Values] = defaultdict(dict)
    longer = [kind.prefix for kind in _KINDS if kind.prefix.startswith(prefix) and kind.prefix != prefix]
    for family in snapshot.families:
        if not family.name.startswith(prefix) or any(family.name.startswith(other) for other in longer):
            continue
        for sample in family.samples:
            labels = dict(sample.labels)
            if isinstance(sample.value, (int, float)) and "name" in labels and "state" not in labels:
                found[labels["name"], labels.get("pipeline", "")][family.name.removeprefix(prefix)] = sample.value
    return found


def _states(snapshot: Snapshot) -> dict[_Key, str]:
    family = snapshot.family("seawall_breaker_state")
    labelled = [] if family is None else [(dict(sample.labels), sample.value) for sample in family.samples]
    return {(each["name"], each.get("pipeline", "")): each["state"] for each, value in labelled if value == 1}


def _row(kind: _Kind, key: _Key, values: _Values, breaker: str | None) -> GuardRow:
    state: str
    level: Level
    state, level = ("", "good") if kind.state is None else kind.state(values)
    if breaker is not None:
        state, level = breaker.replace("_", " "), _STATES.get(breaker, "unknown")
    name, pipeline = key
    details = [f"in {pipeline}" if pipeline else "", "" if kind.detail is None else kind.detail(values)]
    passed, refused = _total(values, kind.passed), _total(values, kind.refused)
    return GuardRow(name, kind.name, state, level, passed, refused, ", ".join(filter(None, details)))


def _total(values: _Values, fields: tuple[str, ...]) -> int | None:
    known = [values[field] for field in fields if field in values]
    return int(sum(known)) if known else None
