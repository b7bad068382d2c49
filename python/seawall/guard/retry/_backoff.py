"""How long to wait before the next attempt, before jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Protocol, runtime_checkable

from seawall.clock import to_ns
from seawall.errors import ConfigError

Seconds = float | timedelta


@runtime_checkable
class Backoff(Protocol):
    """What `Retry(backoff=...)` takes: these five, or any object with this method."""

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait, at least 0.

        Args:
            attempt: How many attempts have failed, from 1.
            previous: The wait before, in nanoseconds; 0 the first time.
            rng: Where chance comes from.
        """


@dataclass(frozen=True)
class Constant:
    """The same wait every time.

    Args:
        seconds: The wait, from 0.
    """

    seconds: Seconds

    def __post_init__(self) -> None:
        _keep(self, seconds=0)

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait."""
        del attempt, previous, rng
        return _ns(self, "seconds")


@dataclass(frozen=True)
class Linear:
    """start, start + step, start + 2 step, ..., never above `cap`.

    Args:
        start: The first wait, in seconds, from 0.
        step: What is added each time, in seconds, from 0.
        cap: The longest wait, in seconds.
    """

    start: Seconds = 0.1
    step: Seconds = 0.1
    cap: Seconds = 10.0

    def __post_init__(self) -> None:
        _keep(self, start=0, step=0, cap=1)

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait."""
        del previous, rng
        return min(_ns(self, "start") + _ns(self, "step") * (attempt - 1), _ns(self, "cap"))


@dataclass(frozen=True)
class Exponential:
    """start, start x factor, start x factor^2, ..., never above `cap`.

    Args:
        start: The first wait, in seconds, above 0.
        factor: What it is multiplied by each time, 1 to 100.
        cap: The longest wait, in seconds.

    Example:
        >>> [Exponential(0.1, 2.0, 1.0).wait(n, 0, Random(1)) / 1e9 for n in (1, 2, 3, 4, 5)]
        [0.1, 0.2, 0.4, 0.8, 1.0]
    """

    start: Seconds = 0.1
    factor: float = 2.0
    cap: Seconds = 10.0

    def __post_init__(self) -> None:
        factor = self.factor
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 1 <= factor <= 100:
            raise ConfigError(f"factor must be 1 to 100, got {factor!r}")
        _keep(self, start=1, cap=1)

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait."""
        del previous, rng
        start, cap = _ns(self, "start"), _ns(self, "cap")
        # By logarithms first: the power itself may be beyond the largest float.
        if (attempt - 1) * math.log(self.factor) >= math.log(cap / start):
            return cap
        return min(round(start * self.factor ** (attempt - 1)), cap)


@dataclass(frozen=True)
class Fibonacci:
    """unit x 1, 1, 2, 3, 5, 8, ..., never above `cap`: grows like Exponential with factor 1.6, but starts more gently.

    Args:
        unit: The first wait, in seconds, above 0.
        cap: The longest wait, in seconds.
    """

    unit: Seconds = 0.1
    cap: Seconds = 10.0

    def __post_init__(self) -> None:
        _keep(self, unit=1, cap=1)

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait."""
        del previous, rng
        now, following, cap = _ns(self, "unit"), _ns(self, "unit"), _ns(self, "cap")
        for _ in range(attempt - 1):
            if now >= cap:
                break
            now, following = following, now + following
        return min(now, cap)


@dataclass(frozen=True)
class Decorrelated:
    """Anything from `start` to three times the wait before, never above `cap`. Brings its own jitter.

    Args:
        start: The shortest wait, in seconds, above 0.
        cap: The longest wait, in seconds.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    start: Seconds = 0.1
    cap: Seconds = 10.0

    def __post_init__(self) -> None:
        _keep(self, start=1, cap=1)

    def wait(self, attempt: int, previous: int, rng: Random) -> int:
        """Nanoseconds to wait."""
        del attempt
        start = _ns(self, "start")
        return min(rng.randint(start, max(start, 3 * previous)), _ns(self, "cap"))


def _keep(backoff: object, **least: int) -> None:
    """Check durations, and keep them in nanoseconds beside what was given."""
    kept = {}
    for name, least_ns in least.items():
        kept[name] = to_ns(getattr(backoff, name), name, least_ns=least_ns)
        object.__setattr__(backoff, f"_{name}", kept[name])
    first = next(iter(kept))
    if kept.get("cap", kept[first]) < kept[first]:
        cap, start = kept["cap"] / 1e9, kept[first] / 1e9
        raise ConfigError(f"cap must be at least {first}, which is {start:g} s, got {cap:g} s")


def _ns(backoff: object, name: str) -> int:
    value: int = getattr(backoff, f"_{name}")
    return value
