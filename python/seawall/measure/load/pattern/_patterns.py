"""The five shapes of load that fit any run."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._plans import Piece, Pieces, Plan
from seawall.measure.load.pattern._wave import Wave


@dataclass(frozen=True, slots=True)
class Constant(Pattern):
    """The same rate all the time."""

    rate: float

    def __post_init__(self) -> None:
        _checks.rate("rate", self.rate)

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"constant {self.rate:,.10g}/s"

    def _over(self, duration: float) -> Plan:
        return Pieces([Piece(duration, self.rate, self.rate)])


@dataclass(frozen=True, slots=True)
class Linear(Pattern):
    """A straight ramp from `start` at the beginning to `end` at the end, up or down."""

    start: float
    end: float

    def __post_init__(self) -> None:
        _checks.rate("start", self.start)
        _checks.rate("end", self.end)

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"linear {self.start:,.10g} to {self.end:,.10g}/s"

    def _over(self, duration: float) -> Plan:
        return Pieces([Piece(duration, self.start, self.end)])


@dataclass(frozen=True, slots=True)
class Step(Pattern):
    """A staircase of `steps` equally long levels, the first at `start` and the last at `end`, up or down."""

    start: float
    end: float
    steps: int = 5

    def __post_init__(self) -> None:
        _checks.rate("start", self.start)
        _checks.rate("end", self.end)
        way_out = "use Constant for a single level and Linear for a smooth ramp"
        _checks.whole("steps", self.steps, low=2, high=1000, unit="levels", way_out=way_out)

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"step {self.start:,.10g} to {self.end:,.10g}/s in {self.steps} levels"

    def _over(self, duration: float) -> Plan:
        rise = (self.end - self.start) / (self.steps - 1)
        levels = [self.start + rise * i for i in range(self.steps - 1)] + [self.end]
        return Pieces([Piece(duration / self.steps, level, level) for level in levels])


@dataclass(frozen=True, slots=True)
class Spike(Pattern):
    """`base` all the time but for one burst at `peak`.

    Args:
        base: The rate before and after.
        peak: The rate during the spike; not below `base`.
        at: Seconds from the start of the run to the start of the spike; by default the spike is centred.
        width: Seconds the spike lasts; by default a tenth of the run.
    """

    base: float
    peak: float
    at: float | None = None
    width: float | None = None

    def __post_init__(self) -> None:
        _checks.rate("base", self.base)
        _checks.rate("peak", self.peak)
        if self.peak < self.base:
            raise ConfigError(
                f"peak must be at least base, got a base of {self.base:,.10g} and a peak of {self.peak:,.10g}; "
                "swap the two"
            )
        if self.at is not None:
            _checks.seconds("at", self.at, low=0, way_out="leave it out for a spike in the middle of the run")
        if self.width is not None:
            _checks.seconds("width", self.width, way_out="leave it out for a tenth of the run")

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"spike {self.base:,.10g} to {self.peak:,.10g}/s"

    def _over(self, duration: float) -> Plan:
        width = duration / 10 if self.width is None else self.width
        at = max(duration - width, 0.0) / 2 if self.at is None else self.at
        after = duration - at - width
        # A hair of rounding is no reason to refuse a spike that ends exactly with the run.
        if after < -1e-9 * duration:
            raise ConfigError(
                f"the spike must end within the run, got one from {at:,.10g} to {at + width:,.10g} seconds "
                f"of {duration:,.10g}; begin earlier, narrow it or run longer"
            )
        stretches = [Piece(at, self.base, self.base), Piece(width, self.peak, self.peak)]
        stretches.append(Piece(after, self.base, self.base))
        return Pieces([piece for piece in stretches if piece.length > 1e-9 * duration])


@dataclass(frozen=True, slots=True)
class Sine(Pattern):
    """A wave that begins at `low`, crests at `high` and is back at `low` after each period.

    Args:
        low: The lowest rate.
        high: The highest rate; not below `low`.
        period: Seconds from trough to trough; by default half of the run.
    """

    low: float
    high: float
    period: float | None = None

    def __post_init__(self) -> None:
        _checks.rate("low", self.low)
        _checks.rate("high", self.high)
        if self.high < self.low:
            raise ConfigError(
                f"high must be at least low, got a low of {self.low:,.10g} and a high of {self.high:,.10g}; "
                "swap the two"
            )
        if self.period is not None:
            _checks.seconds("period", self.period, way_out="leave it out for half of the run")

    def describe(self) -> str:
        """The pattern in a few words."""
        return f"sine {self.low:,.10g} to {self.high:,.10g}/s"

    def _over(self, duration: float) -> Plan:
        return Wave(duration, self.low, self.high, duration / 2 if self.period is None else self.period)
