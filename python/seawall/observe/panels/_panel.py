"""A picture of metrics, whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seawall.errors import ConfigError
from seawall.observe.panels._query import Query

Severity = Literal["warning", "critical"]
_KINDS = ("lines", "stacked", "number", "table")


@dataclass(frozen=True, slots=True)
class Threshold:
    """From where on a value is worth a look.

    Args:
        value: In the unit of the metric.
        severity: "warning" or "critical".
        worse: On which side: "above" or "below".
    """

    value: float
    severity: Severity = "warning"
    worse: Literal["above", "below"] = "above"

    def __post_init__(self) -> None:
        if self.severity not in ("warning", "critical") or self.worse not in ("above", "below"):
            raise ConfigError(
                f"a threshold must be 'warning' or 'critical' and worse 'above' or 'below', got {self.severity!r} "
                f"and {self.worse!r}"
            )

    def reached(self, value: float) -> bool:
        """Whether a value is as bad as that."""
        return value >= self.value if self.worse == "above" else value <= self.value


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of metrics: of our own page and of a Grafana dashboard alike.

    Args:
        title: Its heading.
        kind: "lines" over time, "stacked" areas over time, a "number" (the answer now), or a "table" by groups.
        queries: What it shows.
        unit: What it counts in: "seconds", "bytes", "ratio" (0 to 1), "per_second", "count", or "" for plain numbers.
        thresholds: From where on values are worth a look. All on the same side.
        help: What to make of it, in a sentence or two.
        row: The heading that panels stand under.
        width: In twelfths of the page.

    Raises:
        ConfigError: an option is out of range; the message says which.
    """

    title: str
    kind: Literal["lines", "stacked", "number", "table"]
    queries: tuple[Query, ...]
    unit: Literal["", "seconds", "bytes", "ratio", "per_second", "count"] = ""
    thresholds: tuple[Threshold, ...] = ()
    help: str = ""
    row: str = ""
    width: int = 6

    def __post_init__(self) -> None:
        if not self.title:
            raise ConfigError("title must not be empty")
        if self.kind not in _KINDS:
            raise ConfigError(f"kind must be one of {', '.join(_KINDS)}, got {self.kind!r}")
        if not self.queries:
            raise ConfigError(f"queries of panel {self.title!r} must be at least one")
        if self.unit not in ("", "seconds", "bytes", "ratio", "per_second", "count"):
            raise ConfigError(
                f"unit must be 'seconds', 'bytes', 'ratio', 'per_second', 'count' or '', got {self.unit!r}"
            )
        if len({threshold.worse for threshold in self.thresholds}) > 1:
            raise ConfigError(f"thresholds of panel {self.title!r} must all be worse above, or all below")
        if not 1 <= self.width <= 12:
            raise ConfigError(f"width must be 1 to 12 twelfths of the page, got {self.width!r}")

    def severity(self, value: float | None) -> Severity | None:
        """How bad a value is; None where it is well or not known."""
        reached = {t.severity for t in self.thresholds if value is not None and t.reached(value)}
        return "critical" if "critical" in reached else "warning" if reached else None
