"""What every shape of load can do: be laid over a run, and be put together with others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.pattern._composed import Added, Clipped, Joined, Scaled
from seawall.measure.load.pattern._plans import Plan

_LONGER = "for example 30 for half a minute"
_OTHER = "for example Constant(100)"


class Pattern(ABC):
    """A shape of load. Rates are in requests a second, 0 to 1,000,000. Immutable.

    Patterns can be put together, and what comes out is a pattern again: `one + other` adds their rates, `pattern * 2`
    scales it, `one.then(other, after=30)` is one after the other and `pattern.clip(10, 500)` keeps it within limits.
    What a pattern asks for at a moment depends on the run it is laid over: see `over`.

    Example:
        >>> from seawall.measure import Constant, Sine
        >>> busy = (Constant(50) + Sine(0, 100, period=10)).clip(60, 140)
        >>> plan = busy.over(20)
        >>> plan.rate(0), plan.rate(5), plan.arrivals
        (60.0, 140.0, 2000)
    """

    __slots__ = ()

    def over(self, duration: float | timedelta) -> Plan:
        """Lay the pattern over a run.

        Args:
            duration: Length of the run in seconds, 0.001 to 604,800 (a week).

        Raises:
            ConfigError: The duration is out of range, or the pattern does not fit into it.
        """
        return self._over(_checks.seconds("duration", duration, way_out=_LONGER))

    def __add__(self, other: Pattern) -> Pattern:
        """The pattern that asks for what both ask for, over the same run."""
        return Sum(self, other) if isinstance(other, Pattern) else NotImplemented

    def __mul__(self, factor: float) -> Pattern:
        """The pattern with every rate times `factor`, 0 to 1,000,000; lengths of time stay."""
        return Multiple(self, factor)

    __rmul__ = __mul__

    def then(self, other: Pattern, *, after: float | timedelta) -> Pattern:
        """This pattern for `after` seconds, as if the run were so long, and `other` for the rest of it.

        Args:
            other: What follows.
            after: Seconds from the start of the run, 0.001 to 604,800; the run must be longer.

        Raises:
            ConfigError: `other` is no pattern, or `after` is out of range.
        """
        return Sequence(self, other, _checks.seconds("after", after, way_out=_LONGER))

    def clip(self, least: float, most: float) -> Pattern:
        """This pattern, but never below `least` nor above `most` requests a second.

        What is above the limit is left out, not put off. Recorded arrivals have no rate at an instant, so each is
        spread until the next one first. In a sum with a sine, a crossing of the limit that lasts less than 1/64 of the
        period can go unseen.

        Args:
            least: The lowest rate.
            most: The highest rate; not below `least`.

        Raises:
            ConfigError: A rate is out of range, or the two are the wrong way round.
        """
        return Limited(self, least, most)

    @abstractmethod
    def describe(self) -> str:
        """The pattern in a few words."""

    @abstractmethod
    def _over(self, duration: float) -> Plan: ...

    def _words(self) -> str:
        # The description as part of another one.
        return self.describe()


class _Composed(Pattern):
    __slots__ = ()

    def _words(self) -> str:
        return f"({self.describe()})"


@dataclass(frozen=True, slots=True)
class Sum(_Composed):
    """Two patterns at once; made by `one + other`."""

    one: Pattern
    other: Pattern

    def describe(self) -> str:
        """The pattern in a few words."""
        first = self.one.describe() if isinstance(self.one, Sum) else self.one._words()
        return f"{first} + {self.other._words()}"

    def _over(self, duration: float) -> Plan:
        return Added(self.one._over(duration), self.other._over(duration))


@dataclass(frozen=True, slots=True)
class Multiple(_Composed):
    """A pattern with its rates times a factor; made by `pattern * factor`."""

    pattern: Pattern
    factor: float

    def __post_init__(self) -> None:
        way_out = "use 1 for the pattern as it is"
        _checks.number("factor", self.factor, low=0, high=_checks.MAX_RATE, unit="times", way_out=way_out)

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"{self.pattern._words()} times {self.factor:,.10g}"

    def _over(self, duration: float) -> Plan:
        return Scaled(self.pattern._over(duration), self.factor)


@dataclass(frozen=True, slots=True)
class Sequence(_Composed):
    """One pattern after another; made by `first.then(second, after=seconds)`."""

    first: Pattern
    second: Pattern
    after: float

    def __post_init__(self) -> None:
        if not isinstance(self.second, Pattern):
            raise ConfigError(f"what follows must be a Pattern, got {self.second!r}; {_OTHER}")

    def describe(self) -> str:
        """The pattern in a few words."""
        second = self.second.describe() if isinstance(self.second, Sequence) else self.second._words()
        return f"{self.first._words()} for {self.after:,.10g} s, then {second}"

    def _over(self, duration: float) -> Plan:
        if duration - self.after < 1e-3:
            raise ConfigError(
                f"after must be at least 0.001 seconds before the end of the run, got {self.after:,.10g} "
                f"of {duration:,.10g}; begin earlier or run longer"
            )
        return Joined(self.first._over(self.after), self.second._over(duration - self.after))


@dataclass(frozen=True, slots=True)
class Limited(_Composed):
    """A pattern kept within two rates; made by `pattern.clip(least, most)`."""

    pattern: Pattern
    least: float
    most: float

    def __post_init__(self) -> None:
        _checks.rate("least", self.least)
        _checks.rate("most", self.most)
        if self.most < self.least:
            raise ConfigError(
                f"most must be at least least, got a least of {self.least:,.10g} and a most of {self.most:,.10g}; "
                "swap the two"
            )

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"{self.pattern._words()} within {self.least:,.10g} to {self.most:,.10g}/s"

    def _over(self, duration: float) -> Plan:
        return Clipped(self.pattern._over(duration), self.least, self.most)
