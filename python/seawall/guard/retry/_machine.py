"""The decision after a failed attempt, as a function of nothing but its arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from seawall.clock import to_ns
from seawall.errors import ConfigError
from seawall.guard.retry._backoff import Backoff, Decorrelated
from seawall.guard.retry._jitter import Jitter, NoJitter

_LONGEST_NS = 1 << 58  # nine years, the longest wait of any clock


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all calls of one retry. Units: seconds."""

    attempts: int
    backoff: Backoff
    jitter: Jitter
    max_time: float | None
    max_retry_after: float

    @property
    def by_chance(self) -> bool:
        """Whether two callers wait differently."""
        return not isinstance(self.jitter, NoJitter) or isinstance(self.backoff, Decorrelated)


@dataclass(frozen=True, slots=True)
class Situation:
    """Where one call stands after a failed attempt.

    Units: `previous` and `elapsed` in nanoseconds, the others in seconds.

    Args:
        attempt: Attempts made so far.
        previous: The wait before the last attempt.
        elapsed: Time since the first attempt began.
        asked: For how long the callee asks to be left alone, None when it does not say; infinite: for ever.
        left: What the deadline leaves, None without one.
    """

    attempt: int
    previous: int
    elapsed: int
    asked: float | None
    left: float | None


def next_wait(rules: Rules, now: Situation, rng: Random) -> int | str:
    """Nanoseconds to wait before the next attempt, or why there is none ("" when all attempts are used up)."""
    if now.attempt >= rules.attempts:
        return ""
    if now.asked is not None:
        if math.isinf(now.asked):
            return "the callee asks not to be called again"
        if now.asked > rules.max_retry_after:
            return f"the callee asks for {now.asked:.6g} s, more than max_retry_after={rules.max_retry_after:.6g}"
    wait = _wait(rules, now, rng)
    if rules.max_time is not None and (now.elapsed + wait) / 1e9 >= rules.max_time:
        return f"a wait of {wait / 1e9:.6g} s would outlast max_time={rules.max_time:.6g}"
    if now.left is not None and wait / 1e9 >= now.left:
        return f"a wait of {wait / 1e9:.6g} s would outlast the deadline, which leaves {now.left:.6g} s"
    return wait


def _wait(rules: Rules, now: Situation, rng: Random) -> int:
    wait = _whole(rules.backoff.wait(now.attempt, now.previous, rng), rules.backoff)
    wait = _whole(rules.jitter.spread(wait, rng), rules.jitter)
    if now.asked is None:
        return wait
    asked = to_ns(max(now.asked, 0.0), "retry_after", least_ns=0)
    # Whoever was told the same would return together: what chance there is spreads them over a fifth more.
    spread = min(wait, asked // 5) if rules.by_chance else 0
    return min(max(wait, asked + spread), _LONGEST_NS)


def _whole(wait: object, source: object) -> int:
    if isinstance(wait, bool) or not isinstance(wait, int) or wait < 0:
        raise ConfigError(f"{source!r} must answer a whole number of nanoseconds, at least 0, got {wait!r}")
    return min(wait, _LONGEST_NS)
