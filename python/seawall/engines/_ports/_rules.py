"""Limits as data, and the reference of what they decide: whole microseconds and exact integers below 2^53.

An engine may run a rule in Lua (doubles) or SQL (64-bit integers) and must come to the same answer, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple

from seawall.engines._ports import _algorithms as algorithms
from seawall.engines._ports._algorithms import State
from seawall.engines._ports._checks import whole_of
from seawall.errors import ConfigError
from seawall.guard.limits._options import rate_plan, window_plan

KINDS = tuple(algorithms.ALGORITHMS)
EXACT = (1 << 53) - 1
MAX_LOG = 10_000
_CURSORS = ("token_bucket", "leaky_bucket")


class Reading(NamedTuple):
    """What a rule says; true when it admits.

    Units: seconds, exact to the microsecond, from the decision.

    Attributes:
        admitted: Whether the call may pass.
        wait: When it may pass: above 0 only when the rule allows waiting and the place was taken.
        limit: The most that can ever be admitted at once.
        remaining: What would still be admitted at this instant.
        retry_after: When the same call would be admitted if nobody else came; 0.0 when it is.
        reset_after: When everything will be as if nobody had ever called.
        granted: What was charged: the cost, or what there was of it where less will do; 0 when refused.
        at_us: The engine's time of the decision, in microseconds: what a grant is given back by.
    """

    admitted: bool
    wait: float
    limit: int
    remaining: int
    retry_after: float
    reset_after: float
    granted: int
    at_us: int

    def __bool__(self) -> bool:
        return self.admitted


@dataclass(frozen=True, slots=True)
class Rule:
    """One question to one limit, as data: `amount` calls per `period_us`, never more than `limit` at once.

    Args:
        kind: token_bucket, leaky_bucket, fixed_window, sliding_window or sliding_log.
        amount: Calls a period brings; for windows and the log, `limit`.
        period_us: In microseconds, at least 1.
        limit: Burst, capacity, or the limit of a window; at most 10,000 for sliding_log, which remembers each call.
        cost: What this call takes, 1 to `limit`.
        max_wait_us: The longest wait the caller accepts, in microseconds: the place is taken now and used later. For
            the two buckets.
        least: With this much the caller is content when there is less than `cost`; 0 for all of it or nothing. Not for
            leaky_bucket, which gives one at a time.
        returned: What is left unused of an earlier grant, given back before this is decided: all of it in windows and
            the log while it counts there, in a token bucket less what time has refilled since, so that nothing is
            refilled twice. With it the cost may be 0. Not for leaky_bucket, where others are placed behind it.
        returned_at_us: `at_us` of the reading that granted it.

    Raises:
        ConfigError: A value is out of range, or limit x period_us is not below 2^53 and so not exact everywhere.

    Example:
        >>> rule = Rule.token_bucket(100, burst=20)
        >>> rule.amount, rule.period_us, rule.limit, rule.cost
        (1, 10000, 20, 1)
    """

    kind: str
    amount: int
    period_us: int
    limit: int
    cost: int = 1
    max_wait_us: int = 0
    least: int = 0
    returned: int = 0
    returned_at_us: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        log = self.kind == "sliding_log"
        whole_of(self.amount, "amount", least=1)
        whole_of(self.period_us, "period_us", least=1)
        whole_of(self.limit, "limit", least=1, most=MAX_LOG if log else EXACT)
        lowest = 0 if self.returned else 1
        if isinstance(self.cost, bool) or not isinstance(self.cost, int) or not lowest <= self.cost <= self.limit:
            raise ConfigError(
                f"cost must be {lowest} to {self.limit}, the most this limit ever admits at once, got {self.cost!r}"
            )
        whole_of(self.max_wait_us, "max_wait_us")
        self._check_grant()
        if self.max_wait_us and self.kind not in _CURSORS:
            raise ConfigError(f"max_wait_us is for {' and '.join(_CURSORS)}, got {self.max_wait_us} for {self.kind}")
        if 2 * max(self.limit, self.returned) * self.period_us + self.max_wait_us * self.amount > EXACT:
            raise ConfigError(
                f"limit x period_us must be below 2^52 to be exact in every engine, got {self.limit} x "
                f"{self.period_us}; use larger units of cost, a shorter period or a smaller burst"
            )

    def _check_grant(self) -> None:
        whole_of(self.least, "least", most=self.cost)
        whole_of(self.returned, "returned")
        whole_of(self.returned_at_us, "returned_at_us")
        if (self.least or self.returned) and self.kind == "leaky_bucket":
            raise ConfigError("least and returned are not for leaky_bucket, which gives one at a time")
        if (self.least or self.returned) and self.max_wait_us:
            raise ConfigError("a rule with least or returned takes no place ahead; leave max_wait_us at 0")

    @classmethod
    def token_bucket(
        cls, rate: float, *, per: float | timedelta = 1.0, burst: int | None = None, cost: int = 1, max_wait_us: int = 0
    ) -> Rule:
        """`rate` calls per `per` seconds, `burst` at once; by default what one period brings."""
        return cls("token_bucket", *_pace(rate, per, burst, "burst"), cost, max_wait_us)

    @classmethod
    def leaky_bucket(
        cls, rate: float, *, per: float | timedelta = 1.0, capacity: int, cost: int = 1, max_wait_us: int = 0
    ) -> Rule:
        """`rate` calls per `per` seconds, evenly paced, at most `capacity` waiting."""
        return cls("leaky_bucket", *_pace(rate, per, capacity, "capacity"), cost, max_wait_us)

    @classmethod
    def window(cls, kind: str, limit: int, *, window: float | timedelta, cost: int = 1) -> Rule:
        """At most `limit` calls in `window` seconds, by fixed_window, sliding_window or sliding_log."""
        plan = window_plan(limit, window)
        return cls(kind, plan.limit, max(1, plan.period // 1000), plan.limit, cost)


def _pace(rate: float, per: float | timedelta, limit: int | None, what: str) -> tuple[int, int, int]:
    plan = rate_plan(rate, per, limit, what)
    # A rate such as 0.3333333333333333 has a period of 10^16; the nearest exact one is off by less than 10^-9.
    exact = Fraction(plan.amount * 1000, plan.period)
    pace = exact.limit_denominator(max(1, EXACT // (4 * plan.limit)))
    if pace <= 0 or abs(pace - exact) > exact / 10**6:
        raise ConfigError(f"{what} {plan.limit} is too large for a rate of {rate} per {per}; use larger units of cost")
    return pace.numerator, pace.denominator, plan.limit


def decide(
    rules: Sequence[Rule], states: Sequence[State | None], now_us: int, consume: bool = True
) -> tuple[tuple[State, ...] | None, tuple[Reading, ...]]:
    """What several rules say together: all admit and are charged, or none is.

    Args:
        rules: With different keys.
        states: What is remembered for each; None when nothing is.
        now_us: The engine's time in microseconds.
        consume: False only looks.

    Returns:
        The new states to remember, None when nothing changes; and a reading for each rule.
    """
    known = [_known(rule, state, now_us) for rule, state in zip(rules, states, strict=True)]
    asked = [_fitted(rule, state, now_us) if rule.least else rule for rule, state in zip(rules, known, strict=True)]
    judged = [_judged(rule, state, now_us) for rule, state in zip(asked, known, strict=True)]
    charged = consume and all(each.retry_us == 0 for each in judged)
    kept = [each.after if charged else each.before for each in judged]
    readings = tuple(
        _reading(rule, each, state, now_us, charged) for rule, each, state in zip(asked, judged, kept, strict=True)
    )
    store = charged or (consume and (any(rule.returned for rule in rules) or _is_ahead(rules, states, now_us)))
    return (tuple(kept) if store else None), readings


def _known(rule: Rule, state: State | None, now_us: int) -> State | None:
    """What is remembered, with what is given back taken off."""
    own = _own(rule, state)
    return algorithms.ALGORITHMS[rule.kind].without(rule, own, now_us) if rule.returned and own else own


def _fitted(rule: Rule, state: State | None, now_us: int) -> Rule:
    """The rule at the largest cost that fits, but at least what the caller is content with."""
    there, _ = algorithms.ALGORITHMS[rule.kind].describe(rule, state, now_us)
    return replace(rule, cost=min(rule.cost, max(rule.least, there)))


def _judged(rule: Rule, state: State | None, now_us: int) -> algorithms.Judged:
    judged = algorithms.ALGORITHMS[rule.kind].judge(rule, state, now_us)
    return judged if rule.cost else judged._replace(after=judged.before, wait_us=0, retry_us=0)


def _is_ahead(rules: Sequence[Rule], states: Sequence[State | None], now_us: int) -> bool:
    """Whether the clock has gone back since a state was stored: it must begin to age now, or it never would."""
    owned = (_own(rule, state) for rule, state in zip(rules, states, strict=True))
    return any(state and algorithms.ALGORITHMS[KINDS[state[0]]].newest(state) > now_us for state in owned)


def _own(rule: Rule, state: State | None) -> State | None:
    """What is remembered, unless another kind of rule remembered it."""
    return state if state and state[0] == KINDS.index(rule.kind) else None


def _reading(rule: Rule, judged: algorithms.Judged, state: State, now_us: int, charged: bool) -> Reading:
    remaining, reset_us = algorithms.ALGORITHMS[rule.kind].describe(rule, state, now_us)
    admitted = judged.retry_us == 0
    return Reading(
        admitted,
        judged.wait_us / 1e6 if admitted else 0.0,
        rule.limit,
        remaining,
        judged.retry_us / 1e6,
        reset_us / 1e6,
        rule.cost if charged else 0,
        now_us,
    )
