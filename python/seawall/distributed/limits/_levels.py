"""What is asked: one or more limits with names, as rules; and what their readings say together. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from seawall.engines import Reading, Rule
from seawall.errors import ConfigError
from seawall.guard.limits import Decision, FixedWindow, Limit, SlidingLog, SlidingWindow, TokenBucket
from seawall.guard.limits import LeakyBucket as LocalLeakyBucket

Key = str | bytes | int | tuple[Any, ...]
Keys = tuple[Key | None, ...]
"""One for each level; None for a level without keys."""

MOST_LEVELS = 16
_LONGEST_TEXT = 300
_LONGEST_WAIT_US = 365 * 86_400 * 1_000_000
_EXACT = (1 << 53) - 1
_BUCKETS = ("token_bucket", "leaky_bucket")


@dataclass(frozen=True, slots=True)
class Level:
    """One limit among those that are asked together.

    Args:
        name: What its state goes by in the engine.
        rule: At a cost of one.
    """

    name: str
    rule: Rule

    def costs(self, cost: int, longest: float = 0.0) -> Rule:
        """The rule for a call of `cost` that would wait `longest` seconds for its place."""
        if cost == 1 and longest <= 0:
            return self.rule
        return replace(self.rule, cost=cost, max_wait_us=self._wait_us(longest))

    def _wait_us(self, longest: float) -> int:
        if not self.takes_places or longest <= 0:
            return 0
        exact = (_EXACT - 2 * self.rule.limit * self.rule.period_us) // self.rule.amount
        most = max(0, min(_LONGEST_WAIT_US, exact))
        return most if longest * 1e6 >= most else int(longest * 1e6)

    @property
    def takes_places(self) -> bool:
        """Whether a place can be taken now and used later."""
        return self.rule.kind in _BUCKETS

    @property
    def settings(self) -> str:
        """For people."""
        rule = self.rule
        if self.takes_places:
            return f"{rule.amount * 1e6 / rule.period_us:.9g} per second, at most {rule.limit}"
        return f"{rule.limit} per {rule.period_us / 1e6:.9g} s"

    def local(self, share: int, **common: Any) -> Limit:
        """The same limit for this process alone, a `share`-th of it and at least one call at once."""
        rule, seconds = self.rule, self.rule.period_us / 1e6
        most = max(1, rule.limit // share)
        match rule.kind:
            case "token_bucket":
                return TokenBucket(rule.amount, per=seconds * share, burst=most, **common)
            case "leaky_bucket":
                return LocalLeakyBucket(rule.amount, per=seconds * share, capacity=most, **common)
            case "fixed_window":
                return FixedWindow(most, window=seconds, **common)
            case "sliding_window":
                return SlidingWindow(most, window=seconds, **common)
        return SlidingLog(most, window=seconds, **common)


def checked_cost(levels: Sequence[Level], name: str, cost: Any) -> int:
    """A cost that all levels can admit.

    Raises:
        TypeError: It is no whole number.
        ValueError: It can never be admitted.
    """
    if type(cost) is not int:
        if isinstance(cost, (bool, float)) or not hasattr(cost, "__index__"):
            raise TypeError(f"cost must be a whole number, got {cost!r}")
        cost = cost.__index__()
    least = min(level.rule.limit for level in levels)
    if cost < 1:
        raise ValueError(f"cost must be 1 to {least}, got {cost}")
    if cost > least:
        raise ValueError(
            f"cost {cost} can never be admitted: {name} holds at most {least}; raise its limit or split the call"
        )
    return int(cost)


def state_key(name: str, key: Key | None) -> str:
    """Where the state of a level is for a key: different for different keys and names, the same in every process."""
    # In a name slashes come in pairs, so the first one without a partner ends it.
    prefix = name.replace("/", "//")
    if key is None:
        return prefix
    text = _text(key)
    if len(text) > _LONGEST_TEXT:
        text = f"#{blake2b(text.encode(), digest_size=20).hexdigest()}"
    return f"{prefix}/{text}"


def _text(key: Any) -> str:
    if isinstance(key, bool) or not isinstance(key, (str, bytes, int, tuple)):
        raise TypeError(f"a key must be str, bytes, int or a tuple of these, got {key!r}")
    if isinstance(key, tuple):
        return f"({','.join(map(_text, key))})"
    if isinstance(key, int):
        return str(int(key))
    # Of plain text and plain bytes, whatever a subclass says of itself.
    return ascii(str.__str__(key) if isinstance(key, str) else bytes(key))


def questions(levels: Sequence[Level], cost: int, keys: Keys, longest: float = 0.0) -> tuple[tuple[str, Rule], ...]:
    """What a meter is asked."""
    if len(levels) == 1:
        return ((state_key(levels[0].name, keys[0]), levels[0].costs(cost, longest)),)
    return tuple(
        (state_key(level.name, key), level.costs(cost, longest)) for level, key in zip(levels, keys, strict=True)
    )


def decided(levels: Sequence[Level], readings: Sequence[Reading], name: str, key: Hashable) -> Decision:
    """One answer for all readings."""
    if len(readings) == 1:
        r = readings[0]
        return Decision(r.admitted, r.limit, r.remaining, r.retry_after, r.reset_after, levels[0].name, key)
    said = [
        Decision(r.admitted, r.limit, r.remaining, r.retry_after, r.reset_after, level.name, key)
        for level, r in zip(levels, readings, strict=True)
    ]
    return joined(said, name, key)


def joined(decisions: Sequence[Decision], name: str, key: Hashable) -> Decision:
    """One answer for all: the smallest room, the longest wait; a refusal names the level that refused."""
    if len(decisions) == 1:
        return decisions[0]._replace(key=key) if decisions[0].key != key else decisions[0]
    tightest = min(decisions, key=lambda d: (d.admitted, d.remaining))
    return Decision(
        tightest.admitted,
        tightest.limit,
        min(d.remaining for d in decisions),
        max(d.retry_after for d in decisions),
        max(d.reset_after for d in decisions),
        name if tightest.admitted else tightest.name,
        key,
    )


def checked_levels(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Levels that can be asked together.

    Raises:
        ConfigError: There are none or too many, or two have one name.
    """
    names = [level.name for level in levels]
    if not 1 <= len(levels) <= MOST_LEVELS:
        raise ConfigError(f"1 to {MOST_LEVELS} limits can be asked together, got {len(levels)}")
    if len(set(names)) < len(names):
        raise ConfigError(f"the limits must have different names, got {', '.join(names)}")
    for name in names:
        if not name.isprintable():
            raise ConfigError(f"name must be without control characters, got {name!r}")
    return tuple(levels)
