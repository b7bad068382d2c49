"""Which rate to try next, and when to stop: a pure function of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.capacity._belief import Belief, believe

Outcome = Literal["passed", "failed", "held back", "unreached"]
Ended = Literal[
    "found", "all passed", "none passed", "steps used", "generator", "unreachable", "not recovered", "interrupted"
]

# So many times in a row a step has to say nothing of the target: a busy moment of this machine must not end a search.
_TRIES = 3
# At a rate that the generator has already carried it is not its limit that is met, only a longer busy moment.
_PATIENT_TRIES = 10
# Where an end of the interval is tried: as far within it as this share of the belief.
_NEAR_END = 0.15


@dataclass(frozen=True, slots=True)
class Observation:
    """How a step at a rate came out, and why.

    Args:
        rate: Requests a second.
        outcome: passed or failed speak of the target; held back: the generator was the bottleneck; unreached: not one
            request got through.
        reason: In words; empty where it passed.
    """

    rate: float
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """The rate to try next."""

    rate: float


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search.

    Guarantees: low <= rate <= high.

    Units: requests a second; `low` is 0 and `high` is inf where the search has no bound on that side.
    """

    rate: float
    low: float
    high: float
    ended: Ended


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the highest rate at which steps pass.

    It multiplies the rate by `growth` until a step fails, then tries the median of what it believes, and near the goal
    the ends of the interval, until the one that holds the limit with `confidence` is narrower than `precision`. A
    single wrong outcome is outvoted by later ones. What was held back or unreached is tried again; three times in a
    row end the search, ten at a rate below one that gave an answer.

    Guarantees: never more than `max_steps` tries, none outside of `start` to `most`, none above `growth` times the
    highest rate that passed.

    Source: Horstein (1963); Waeber, Frazier and Henderson, Bisection Search with Noisy Responses (2013).

    Args:
        start: The first rate, above 0 and below `most`.
        most: The highest rate to try, at most 1,000,000.
        precision: Width of the interval relative to its lower end at which to stop, 0.005 to 1.
        confidence: Probability that the limit is within the interval, 0.5 to 0.99.
        growth: Factor between steps until the first failure, 1.1 to 100.
        max_steps: The most steps, 3 to 1,000.

    Raises:
        ConfigError: An option can never work.
    """

    start: float
    most: float
    precision: float = 0.05
    confidence: float = 0.9
    growth: float = 2.0
    max_steps: int = 50

    def __post_init__(self) -> None:
        unit, way_out = "requests a second", "start where the target surely passes"
        _checks.number("start", self.start, low=0.001, high=_checks.MAX_RATE, unit=unit, way_out=way_out)
        _checks.number("most", self.most, low=0.001, high=_checks.MAX_RATE, unit=unit, way_out="100,000 is the default")
        if not self.start < self.most:
            raise ConfigError(
                f"start must be below most, got start {self.start:,.10g} and most {self.most:,.10g} requests a second; "
                "start where the target surely passes"
            )
        _share("precision", self.precision, low=0.005, high=1.0, default="0.05 is the default")
        _share("confidence", self.confidence, low=0.5, high=0.99, default="0.9 is the default")
        _checks.number("growth", self.growth, low=1.1, high=100, unit="times", way_out="2 is the default")
        _checks.whole("max_steps", self.max_steps, low=3, high=1000, unit="steps", way_out="50 is the default")

    def decide(self, seen: Sequence[Observation]) -> Try | Found:
        """Name the next rate, or the end."""
        last = seen[-1].outcome if seen else "passed"
        if last in ("held back", "unreached"):
            carried = max((one.rate for one in seen if one.outcome in ("passed", "failed")), default=0.0)
            tries = _TRIES if seen[-1].rate > carried else _PATIENT_TRIES
            again = len(seen) >= tries and all(one.outcome == last for one in seen[-tries:])
            # A target that was never there will not come; one that was may have been swamped for a moment.
            if again or (last == "unreached" and len(seen) == 1):
                return self.conclude(seen, "generator" if last == "held back" else "unreachable")
            if len(seen) < self.max_steps:
                return Try(seen[-1].rate)
        belief = self._belief(seen)
        low, high = self._interval(belief)
        for ended, holds in self._ends(seen, belief, low, high):
            if holds:
                return self.conclude(seen, ended)
        return Try(self._next(seen, belief))

    def conclude(self, seen: Sequence[Observation], ended: Ended) -> Found:
        """What can be said after these steps, however the search ended."""
        belief = self._belief(seen)
        low, high = self._interval(belief)
        tried = [one.rate for one in seen if one.outcome == "passed"]
        best = max(tried, default=0.0)
        if ended == "none passed":
            return Found(0.0, 0.0, self.start, ended)
        if ended in ("generator", "unreachable", "all passed") or not any(one.outcome == "failed" for one in seen):
            return Found(best, min(low, best), float("inf"), ended)
        rate = belief.quantile(0.5)
        found = rate if 0.0 < rate < float("inf") else best
        # A passed step may be one that the belief has since called chance.
        return Found(min(max(found, low), high), low, high, ended)

    def _belief(self, seen: Sequence[Observation]) -> Belief:
        outcomes = [(one.rate, one.outcome == "passed") for one in seen if one.outcome in ("passed", "failed")]
        return believe(outcomes, start=self.start, most=self.most, precision=self.precision)

    def _interval(self, belief: Belief) -> tuple[float, float]:
        tail = (1.0 - self.confidence) / 2.0
        return belief.quantile(tail), belief.quantile(1.0 - tail)

    def _ends(self, seen: Sequence[Observation], belief: Belief, low: float, high: float) -> list[tuple[Ended, bool]]:
        return [
            ("none passed", 1.0 - belief.at_least(self.start) >= self.confidence),
            ("all passed", belief.at_least(self.most) >= self.confidence),
            ("found", low > 0 and high <= low * (1.0 + self.precision)),
            ("steps used", len(seen) >= self.max_steps),
        ]

    def _next(self, seen: Sequence[Observation], belief: Belief) -> float:
        highest = max((one.rate for one in seen if one.outcome == "passed"), default=self.start / self.growth)
        reachable = highest * self.growth
        if all(one.outcome != "failed" for one in seen):
            return min(reachable, self.most)
        return min(max(_tidy(self._doubtful(belief)), self.start), reachable, self.most)

    def _doubtful(self, belief: Belief) -> float:
        """The rate whose outcome would teach most."""
        median = belief.quantile(0.5)
        low, high = self._interval(belief)
        if low == 0.0 or high > low * (1.0 + self.precision) ** 2:
            return median
        # Nearly there, outcomes at the median are a coin's; what keeps the interval wide is its farther end.
        return belief.quantile(_NEAR_END if median / low > high / median else 1.0 - _NEAR_END)


def _share(name: str, value: float, *, low: float, high: float, default: str) -> None:
    _checks.number(name, value, low=low, high=high, unit="as a share", way_out=default)


def _tidy(rate: float) -> float:
    """Round to four digits, far below any precision, so that rates can be read."""
    return float(f"{rate:.4g}")
