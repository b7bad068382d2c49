"""The options that a breaker shares with others, as the kernel's words and back again."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from seawall.clock import to_ns
from seawall.guard.breaker._options import BreakerOptions, Calls, Ramp, Seconds

_RATIO_ONE = 1 << 40
_ONE = 1 << 32

Words = tuple[int, ...]


def words_of(options: BreakerOptions) -> Words:
    """For the kernel, in the order of its BreakerConfig."""
    slow_ns = to_ns(options.slow_after, "slow_after") if options.slow_after is not None else 0
    slow_ratio = (options.slow_ratio or options.failure_ratio or 0.5) if slow_ns else None
    return (
        *_window(options.window),
        options.min_calls,
        _ratio(options.failure_ratio or 0),
        _ratio(slow_ratio or 0),
        options.consecutive or 0,
        slow_ns,
        0 if options.combine == "any" else 1,
        options.probes,
        to_ns(options.lost_after, "lost_after"),
        *_ramp(options.recovery),
    )


def overlay(options: BreakerOptions, words: Words) -> BreakerOptions:
    """`options` with what the kernel's words say otherwise."""
    mine = _by_option(words_of(options))
    found = _by_option(words)
    return options.replace(**{name: _READ[name](found[name]) for name in found if found[name] != mine[name]})


def differences(there: BreakerOptions, here: BreakerOptions) -> str:
    """What is configured otherwise, as people write it."""
    theirs = there.as_dict()
    return ", ".join(f"{n} {theirs[n]!r} there, {v!r} here" for n, v in here.as_dict().items() if theirs[n] != v)


def _window(window: Calls | Seconds) -> Words:
    return (0, window.count, 1_000_000_000) if isinstance(window, Calls) else (1, 100, window.ns // 10)


def _ramp(ramp: Ramp | None) -> Words:
    if ramp is None:
        return 0, 0, 0, 0, 0
    start, backoff = _share(ramp.start), _share(ramp.backoff)
    if isinstance(ramp.over, Calls):
        return 2, 0, -(-_ONE // ramp.over.count), start, backoff
    return 1, to_ns(ramp.over, "over"), 0, start, backoff


def _ratio(value: float) -> int:
    """Rounded down, so that one of ten reaches 0.1; zero is none."""
    return max(1, math.floor(Fraction(repr(value)) * _RATIO_ONE)) if value else 0


def _share(value: float) -> int:
    return round(value * _ONE)


def _by_option(words: Words) -> dict[str, Words]:
    window, single, ramp = words[:3], words[3:11], words[11:]
    names = tuple(_READ)[1:-1]
    return {"window": window, **{n: (w,) for n, w in zip(names, single, strict=True)}, "recovery": ramp}


def _shortest(word: int, one: int, write: Callable[[float], int]) -> float:
    """The shortest decimal that is written as this word."""
    return next(v for digits in range(1, 18) if write(v := round(word / one, digits)) == word)


def _read_ratio(words: Words) -> float | None:
    return _shortest(words[0], _RATIO_ONE, _ratio) if words[0] else None


def _read_ramp(words: Words) -> Ramp | None:
    kind, ns, step, *shares = words
    if kind == 0:
        return None
    start, backoff = (_shortest(share, _ONE, _share) for share in shares)
    return Ramp(over=Calls(-(-_ONE // step)) if kind == 2 else ns / 1e9, start=start, backoff=backoff)


_READ: dict[str, Callable[[Words], Any]] = {
    "window": lambda words: Calls(words[1]) if words[0] == 0 else Seconds(words[2] / 1e8),
    "min_calls": lambda words: words[0],
    "failure_ratio": _read_ratio,
    "slow_ratio": _read_ratio,
    "consecutive": lambda words: words[0] or None,
    "slow_after": lambda words: words[0] / 1e9 if words[0] else None,
    "combine": lambda words: ("any", "all")[words[0]],
    "probes": lambda words: words[0],
    "lost_after": lambda words: words[0] / 1e9,
    "recovery": _read_ramp,
}
