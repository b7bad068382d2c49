"""Thresholds as people type them, and whether a result keeps them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall.measure.load.result._parts import Part
    from seawall.measure.load.result._result import LoadResult

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM = re.compile(r"([^<>={}]*)(?:\{\s*(phase|scenario)\s*:([^}]*)\})?\s*([<>=]+)([^<>=]*)")
_LIMIT = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*([^\d\s.]*)")
_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")
# A unit's divisor turns the typed number into the one measured; a quotient is rounded once, so 7 % of 100 is exactly 7.
_TIMES = {"us": 1e6, "ms": 1e3, "s": 1.0}
_SHARES = {"%": 100.0, "": 1.0}
_UNITS: dict[str, dict[str, float]] = {
    "mean": _TIMES,
    "max": _TIMES,
    "rate": {"/s": 1.0},
    "errors": _SHARES,
    "late": _SHARES,
    "dropped": _SHARES,
}
_EXAMPLES = {"mean": "100ms", "max": "1s", "rate": "950/s", "errors": "1%", "late": "1%", "dropped": "0"}
_LONGEST = 7 * 86_400.0
_MOST = 1e12


@dataclass(frozen=True, slots=True)
class ThresholdOutcome:
    """What became of a threshold.

    Units: `measured` is in seconds for times, requests a second for rates, a share from 0 to 1 for percents, else a
    count; None when there was nothing to measure, which never passes.
    """

    text: str
    measured: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a load test must keep, such as `p99<250ms`.

    Args:
        text: As it was typed.
        metric: `p50` or any other percentile, `mean` or `max` of the response time; `rate` of ended requests;
            `errors` among the ended, `late` among the sent, `dropped` among the planned requests.
        operator: `<`, `<=`, `>` or `>=`.
        limit: In seconds, requests a second, a share from 0 to 1, or a count.
        unit: `us`, `ms` or `s`; `/s`; `%`, or nothing for a count.
        part: `phase` or `scenario`, and its name; None for the whole run.

    Example:
        >>> Threshold.parse("p99 < 250ms").limit
        0.25
    """

    text: str
    metric: str
    operator: str
    limit: float
    unit: str
    part: tuple[str, str] | None = None

    @property
    def percentile(self) -> float | None:
        """Which percentile it is about; None where it is about something else."""
        found = _PERCENTILE.fullmatch(self.metric)
        return None if found is None else float(found[1])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a threshold such as `p99<250ms`, `mean<=0.1s`, `errors<1%`, `dropped<=0` or `rate>950/s`.

        It can be about one phase or scenario: `p99{phase:peak}<250ms`, `errors{scenario:checkout}<1%`.

        Raises:
            ConfigError: It is not a threshold, or one that can never be kept.
        """
        if not isinstance(text, str):
            raise ConfigError(f"threshold must be a text, got {text!r}; for example 'p99<250ms'")
        form = _FORM.fullmatch(text)
        if form is None and "{" in text:
            raise ConfigError(
                "threshold can be about a part as {phase:NAME} or {scenario:NAME} after what it measures, "
                f"got {text!r}; for example p99{{phase:peak}}<250ms"
            )
        if form is None or form[4] not in OPERATORS:
            raise ConfigError(f"threshold must compare once with <, <=, > or >=, got {text!r}; for example p99<250ms")
        metric = form[1].strip().lower()
        divisors = _divisors(metric, text)
        value, unit = _limit(metric, form[5].strip(), divisors, text)
        if form[4] == "<" and value == 0:
            raise ConfigError(f"threshold {text!r} can never be kept, nothing is below 0; use <= instead of <")
        part = None if form[2] is None else (form[2], form[3].strip())
        return cls(text, metric, form[4], value / divisors[unit], unit, part)

    def evaluate(self, result: LoadResult) -> ThresholdOutcome:
        """Hold a result against the threshold."""
        measured = self._measure(result)
        passed = measured is not None and OPERATORS[self.operator](measured, self.limit)
        return ThresholdOutcome(self.text, measured, passed)

    @property
    def is_time(self) -> bool:
        """Whether it is about response times."""
        return _UNITS.get(self.metric, _TIMES) is _TIMES

    def show(self, measured: float | None) -> str:
        """A measured value in the unit of the threshold."""
        if measured is None:
            return "nothing measured"
        scaled = measured * _unit_divisor(self.metric, self.unit)
        return f"{scaled:,.0f}" if self.unit == "" else f"{scaled:,.2f}{'' if self.unit[0] in '%/' else ' '}{self.unit}"

    def _measure(self, result: LoadResult) -> float | None:
        whole = result if self.part is None else _find(result, *self.part)
        if whole is None:
            return None
        if not self.is_time:
            return self._measure_counts(whole)
        times = whole.response_time
        if not times.count:
            return None
        if self.percentile is not None:
            return float(times.percentile(self.percentile))
        return float(times.mean if self.metric == "mean" else times.max)

    def _measure_counts(self, whole: LoadResult | Part) -> float | None:
        if self.metric == "rate":
            return whole.completed / whole.duration if whole.duration > 0 else None
        count, all_of_them = {
            "errors": (whole.completed - whole.succeeded, whole.completed),
            "late": (whole.late, whole.sent),
            "dropped": (whole.dropped, whole.planned),
        }[self.metric]
        if not all_of_them:
            return None
        return count / all_of_them if self.unit == "%" else float(count)


def check_parts(thresholds: Iterable[Threshold], phases: Sequence[str], scenarios: Sequence[str]) -> None:
    """Raise ConfigError where a threshold is about a phase or a scenario that there is not."""
    known = {"phase": phases, "scenario": scenarios}
    for one in thresholds:
        if one.part is not None and one.part[1] not in known[one.part[0]]:
            kind, name = one.part
            there = ", ".join(repr(name) for name in known[kind]) or "none"
            raise ConfigError(
                f"{kind} of a threshold must be one of the test's, got {name!r} in {one.text!r}; there are {there}"
            )


def _find(result: LoadResult, kind: str, name: str) -> Part | None:
    parts = result.phases if kind == "phase" else result.scenarios
    return next((part for part in parts if part.name == name), None)


def _unit_divisor(metric: str, unit: str) -> float:
    return _UNITS.get(metric, _TIMES)[unit]


def _divisors(metric: str, text: str) -> dict[str, float]:
    percentile = _PERCENTILE.fullmatch(metric)
    if percentile is None and metric not in _UNITS:
        raise ConfigError(
            f"threshold must be about a percentile such as p99.9, {', '.join(list(_UNITS)[:-1])} or dropped, "
            f"got {metric!r} in {text!r}; for example p99<250ms"
        )
    if percentile is not None and not 0 < float(percentile[1]) <= 100:
        raise ConfigError(
            f"percentile of a threshold must be above 0 and at most 100, got {percentile[1]} in {text!r}; "
            "for example p99.9"
        )
    return _UNITS.get(metric, _TIMES)


def _limit(metric: str, limit_text: str, divisors: dict[str, float], text: str) -> tuple[float, str]:
    example = _EXAMPLES.get(metric, "250ms")
    found = _LIMIT.fullmatch(limit_text)
    if found is None:
        raise ConfigError(f"limit of {metric} must be a number, got {limit_text!r} in {text!r}; for example {example}")
    value, unit = float(found[1]), found[2].lower()
    if unit not in divisors:
        named = [name or "nothing for a count" for name in divisors]
        raise ConfigError(
            f"unit of {metric} must be {' or '.join(named)}, got {unit!r} in {text!r}; for example {example}"
        )
    high = _LONGEST * divisors[unit] if divisors is _TIMES else 100.0 if unit == "%" else _MOST
    if not 0 <= value <= high:
        raise ConfigError(
            f"limit of {metric} must be between 0 and {high:,.10g}{unit}, got {value:,.10g}{unit} in {text!r}; "
            f"for example {example}"
        )
    return value, unit
