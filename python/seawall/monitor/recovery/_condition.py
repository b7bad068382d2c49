"""Conditions: pure functions of readings, which say yes, no, or that nothing is known."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from seawall.errors import ConfigError

Test = Callable[["Readings", bool], bool | None]


@dataclass(frozen=True, slots=True)
class Readings:
    """All readings of one evaluation.

    Args:
        at: When, in seconds of the engine's clock.
        values: By name; None where nothing is known.
    """

    at: float
    values: Mapping[str, float | None]

    def __getitem__(self, name: str) -> float | None:
        return self.values.get(name)


class Condition:
    """What may be wrong: a name for people, and a test.

    Combine conditions with `&`, `|` and `~`. Nothing is done on what is not known: an unknown is None, `no & unknown`
    is no, `yes | unknown` is yes, and any other combination with an unknown is unknown.

    Args:
        name: For people, such as "memory above 90 %".
        test: A function of the readings, and of whether the condition held before, so that it may let go later than it
            took hold. None means that nothing is known.

    Example:
        >>> hot = above("memory", 0.9, clear=0.8) & ~below("requests", 1)
        >>> hot.name
        '(memory above 0.9 and not requests below 1)'
        >>> hot.holds(Readings(0, {"memory": 0.95, "requests": 30})), hot.holds(Readings(0, {"memory": 0.95}))
        (True, None)
    """

    __slots__ = ("name", "test")

    def __init__(self, name: str, test: Test) -> None:
        if not callable(test):
            raise ConfigError(f"test of condition {name!r} must be a function of (readings, held), got {test!r}")
        self.name = name
        self.test = test

    def holds(self, readings: Readings, held: bool = False) -> bool | None:
        """Whether it holds; None where that is not known."""
        found = self.test(readings, held)
        return None if found is None else bool(found)

    def __and__(self, other: Condition) -> Condition:
        return Condition(
            f"({self.name} and {other.name})", lambda r, held: _both(self.holds(r, held), other.holds(r, held))
        )

    def __or__(self, other: Condition) -> Condition:
        return ~(~self & ~other)._named(f"not ({self.name} or {other.name})")

    def __invert__(self) -> Condition:
        name = self.name.removeprefix("not ") if self.name.startswith("not ") else f"not {self.name}"
        return Condition(name, lambda r, held: _not(self.holds(r, held)))

    def _named(self, name: str) -> Condition:
        return Condition(name, self.test)

    def __repr__(self) -> str:
        return f"Condition({self.name!r})"


def above(reading: str, limit: float, *, clear: float | None = None) -> Condition:
    """A reading above a limit; once it holds, until the reading is at most `clear`."""
    if clear is not None and clear > limit:
        raise ConfigError(f"clear of {reading} must be at most the limit of {limit:g}, got {clear:g}")
    return _compared(f"{reading} above {limit:g}", reading, operator.gt, limit if clear is None else clear, limit)


def below(reading: str, limit: float, *, clear: float | None = None) -> Condition:
    """A reading below a limit; once it holds, until the reading is at least `clear`."""
    if clear is not None and clear < limit:
        raise ConfigError(f"clear of {reading} must be at least the limit of {limit:g}, got {clear:g}")
    return _compared(f"{reading} below {limit:g}", reading, operator.lt, limit if clear is None else clear, limit)


class _Watching(Protocol):
    def anomalous(self, name: str) -> bool: ...


def anomalous(watch: _Watching, name: str) -> Condition:
    """An anomaly that a `seawall.monitor.anomaly.Watch` follows is on."""
    return Condition(f"{name} anomalous", lambda _readings, _held: watch.anomalous(name))


class Flag(Condition):
    """A condition that somebody else raises and lowers, such as an alert.

    Thread safety: yes.

    Example:
        >>> flag = Flag("too many errors")
        >>> flag.set(True)
        >>> flag.holds(Readings(0, {}))
        True
    """

    __slots__ = ("raised",)

    def __init__(self, name: str) -> None:
        self.raised: bool | None = False
        super().__init__(name, lambda _readings, _held: self.raised)

    def set(self, raised: bool | None = True) -> None:
        """Raise it; with False lower it; with None say that nothing is known."""
        self.raised = raised


def _compared(name: str, reading: str, beyond: Callable[[float, float], bool], clear: float, limit: float) -> Condition:
    def test(readings: Readings, held: bool) -> bool | None:
        value = readings[reading]
        return None if value is None or math.isnan(value) else beyond(value, clear if held else limit)

    return Condition(name, test)


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _not(a: bool | None) -> bool | None:
    return None if a is None else not a
