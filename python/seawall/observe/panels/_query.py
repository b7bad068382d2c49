"""What a line of a panel shows: a question to metrics that our recordings and Prometheus answer alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from seawall.errors import ConfigError
from seawall.observe._recording import Window
from seawall.observe._snapshot import Kind, Selector

Function = Literal["rate", "increase", "ratio", "value", "mean", "quantile"]
Across = Literal["sum", "min", "max", "mean"]
Group = tuple[str, ...]
Points = list[tuple[float, float | None]]

_IMPLIED: dict[str, Kind] = {"value": "gauge", "mean": "histogram", "quantile": "histogram"}
_FUNCTIONS = ("rate", "increase", "ratio", "value", "mean", "quantile")


@dataclass(frozen=True, slots=True)
class Query:
    """A question to metrics, with an answer for each group of labels.

    Args:
        what: Which series.
        function: "rate" (a second) and "increase" of counters, or of the values that came to histograms; "ratio" of
            the increase to that of `whole`; "value" of gauges; "mean" and "quantile" of the values of histograms.
        q: Which quantile, 0 to 1.
        whole: What a ratio is of.
        by: Labels that tell the groups apart; without any, all series together are one.
        across: How gauges of a group are put together.
        legend: What a line is called: text with {label} where the value of a label is to stand. By default the values.
        kind: What the metric is. By default "gauge" for "value", "histogram" for "mean" and "quantile", else "counter".
        unit: Of the metric, such as "seconds": it ends the name in Prometheus.

    Raises:
        ConfigError: an unknown function, or one without what it needs.
    """

    what: Selector | str
    function: Function
    q: float | None = None
    whole: Selector | str | None = None
    by: Group = ()
    across: Across = "sum"
    legend: str = ""
    kind: Kind | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.function not in _FUNCTIONS:
            raise ConfigError(f"function must be one of {', '.join(_FUNCTIONS)}, got {self.function!r}")
        if self.across not in ("sum", "min", "max", "mean"):
            raise ConfigError(f"across must be 'sum', 'min', 'max' or 'mean', got {self.across!r}")
        if (self.function == "quantile") != (self.q is not None) or not 0 <= (self.q or 0) <= 1:
            raise ConfigError(f"q must be 0 to 1 for a quantile and is for nothing else, got {self.q!r}")
        if (self.function == "ratio") != (self.whole is not None):
            raise ConfigError(f"whole must be a selector for a ratio and is for nothing else, got {self.whole!r}")

    @property
    def selector(self) -> Selector:
        """Which series, as a selector."""
        return Selector.of(self.what)

    @property
    def metric_kind(self) -> Kind:
        """What the metric is: as it was said, or as the function implies."""
        return self.kind or _IMPLIED.get(self.function, "counter")

    def named(self, group: Group) -> str:
        """What the line of a group is called."""
        if not self.legend:
            return " ".join(group) or self.selector.name
        text = self.legend
        for label, value in zip(self.by, group, strict=True):
            text = text.replace(f"{{{label}}}", value)
        return text

    def read(self, window: Window) -> dict[Group, float | None]:
        """The answer over the whole window, group by group."""
        return {group: self._of(group)(window) for group in self._groups(window)}

    def points(self, window: Window, every: float = 0.0) -> dict[Group, Points]:
        """(at, answer) over time, group by group: of each stretch of at least `every` seconds, at its end."""
        stretches = list(_stretches(window, every))
        answers = {group: self._of(group) for group in self._groups(window)}
        return {group: [(s.snapshots[-1].at, answer(s)) for s in stretches] for group, answer in answers.items()}

    def _groups(self, window: Window) -> tuple[Group, ...]:
        # Of a ratio the whole says what there is: a group without failures has a line, too.
        return window.label_values(self.whole or self.what, *self.by) if self.by else ((),)

    def _of(self, group: Group) -> Callable[[Window], float | None]:
        labels = dict(zip(self.by, group, strict=True))
        what = self.selector.where(**labels)
        if self.whole is not None:
            whole = Selector.of(self.whole).where(**labels)
            return lambda window: window.ratio(what, whole)
        if self.q is not None:
            q = self.q
            return lambda window: window.quantile(what, q)
        answers: dict[str, Callable[[Window], float | None]] = {
            "rate": lambda window: window.rate(what),
            "increase": lambda window: window.increase(what),
            "value": lambda window: window.value(what, self.across),
            "mean": lambda window: _mean(window, what),
        }
        return answers[self.function]


def _mean(window: Window, what: Selector) -> float | None:
    came = window.distribution(what)
    return came.mean if came is not None and came.count else None


def _stretches(window: Window, every: float) -> Iterator[Window]:
    """Neighbouring stretches, each with all its snapshots, so that a counter that began anew in one is seen."""
    begin = 0
    for place, snapshot in enumerate(window.snapshots):
        if place and snapshot.at - window.snapshots[begin].at >= every:
            yield Window(window.snapshots[begin : place + 1])
            begin = place
