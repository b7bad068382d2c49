"""A pattern drawn by hand: straight from one rate to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._plans import Piece, Pieces, Plan

_FORM = "for example Stages([(30, 100), (60, 100), (10, 0)])"
_MAX = 10_000
# What is shorter than a nanosecond is a jump: its slope would be no number.
_JUMP = 1e-9


@dataclass(frozen=True, init=False, slots=True)
class Stages(Pattern):
    """Straight ramps, one after the other, each from the rate reached so far to its own.

    A stage of 0 seconds jumps. After the last stage there is silence; a run that ends before it is refused.

    Args:
        stages: Pairs of seconds, 0 to 604,800, and the rate reached at their end.
        start: The rate at the beginning.

    Raises:
        ConfigError: There is no stage, one is no such pair, or together they last less than 0.001 or more than 604,800
            seconds.

    Source: ramping-arrival-rate of k6.

    Example:
        >>> from seawall.measure import Stages
        >>> stages = Stages([(10, 100), (20, 100), (10, 0)])
        >>> plan = stages.over(stages.length)
        >>> plan.rate(5), plan.arrivals
        (50.0, 3000)
    """

    stages: tuple[tuple[float, float], ...]
    start: float

    def __init__(self, stages: Iterable[tuple[float, float]], start: float = 0.0) -> None:
        _checks.rate("start", start)
        # One more than may be, so that an endless iterable is noticed.
        some = [stage for stage, _ in zip(_items(stages), range(_MAX + 1), strict=False)]
        _checks.whole("the number of stages", len(some), low=1, high=_MAX, unit="stages", way_out=_FORM)
        object.__setattr__(self, "stages", tuple(_stage(n, stage) for n, stage in enumerate(some, 1)))
        object.__setattr__(self, "start", start)
        _checks.seconds("all stages together", self.length, way_out=_FORM)

    @property
    def length(self) -> float:
        """Seconds until the last stage ends."""
        return float(sum(seconds for seconds, _ in self.stages))

    def describe(self) -> str:
        """The pattern in a few words."""
        many = "1 stage" if len(self.stages) == 1 else f"{len(self.stages):,} stages"
        return f"{many} up to {max(self.start, *(rate for _, rate in self.stages)):,.10g}/s"

    def _over(self, duration: float) -> Plan:
        silence = duration - self.length
        if silence < -1e-9 * duration:
            raise ConfigError(
                f"the stages must end within the run, got {self.length:,.10g} seconds of stages "
                f"in a run of {duration:,.10g}; shorten them or run longer"
            )
        pieces, level = [], self.start
        for seconds, rate in self.stages:
            if seconds > _JUMP:
                pieces.append(Piece(seconds, level, rate))
            level = rate
        if silence > 1e-9 * duration:
            pieces.append(Piece(silence, 0.0, 0.0))
        return Pieces(pieces)


def _items(stages: object) -> Iterable[object]:
    if isinstance(stages, str) or not isinstance(stages, Iterable):
        raise ConfigError(f"stages must be pairs of seconds and a rate, got {stages!r}; {_FORM}")
    return stages


def _stage(n: int, stage: object) -> tuple[float, float]:
    if not isinstance(stage, (tuple, list)) or len(stage) != 2:
        raise ConfigError(f"stage {n} must be a pair of seconds and a rate, got {stage!r}; {_FORM}")
    length = _checks.seconds(f"seconds of stage {n}", stage[0], low=0, way_out="use 0 to jump to the rate")
    return length, _checks.rate(f"rate of stage {n}", stage[1])
