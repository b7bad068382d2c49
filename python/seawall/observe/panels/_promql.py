"""A query of a panel in PromQL."""

from __future__ import annotations

import re
from typing import NamedTuple

from seawall.errors import ConfigError
from seawall.observe._matching import Matching
from seawall.observe._names import exposed_label, exposed_name
from seawall.observe._snapshot import Kind, Selector, Snapshot, Wanted
from seawall.observe.panels._query import Query

_ACROSS = {"sum": "sum", "min": "min", "max": "max", "mean": "avg"}


def promql(
    query: Query, *, over: str = "5m", known: Snapshot | None = None, native: bool = False, also: tuple[str, ...] = ()
) -> str:
    """The query in PromQL, for metrics as `seawall.observe.export` exposes them.

    Args:
        query: What is asked.
        over: The range of rates: "5m", or Grafana's "$__rate_interval".
        known: Metrics that say what kind and unit each name has; of others the query says it.
        native: Whether histograms are scraped as native ones.
        also: Further matchers for every metric, as they are, such as 'job=~"$job"'.

    Raises:
        ConfigError: a label is selected by a function that PromQL cannot know; `Matching` is one that it does.

    Example:
        >>> from seawall.observe.panels import Query
        >>> failed = Selector("http_requests", code=Matching("5.."))
        >>> promql(Query(failed, "rate", by=("route",)))
        'sum by (route) (rate(http_requests_total{code=~"5.."}[5m]))'
    """
    series = _Series(query, over, known, native, also)
    grouped = f"by ({', '.join(exposed_label(label) for label in query.by)}) " if query.by else ""
    summed = f"sum {grouped}"
    if query.function == "value":
        return f"{_ACROSS[query.across]} {grouped}({series.named(query.selector)})"
    if query.function in ("rate", "increase"):
        return f"{summed}({series.came(query.selector, query.function)})"
    if query.function == "mean":
        total, count = series.sum_and_count(query.selector)
        return f"{summed}({total}) / {summed}({count})"
    if query.whole is not None:
        part, whole = series.came(query.selector, "rate"), series.came(Selector.of(query.whole), "rate")
        # Without a failure there is no series of failures: the share is 0, not unknown.
        return f"({summed}({part}) or {summed}({whole}) * 0) / {summed}({whole})"
    if native:
        return f"histogram_quantile({query.q!r}, {summed}({series.came_native(query.selector)}))"
    groups = ", ".join(["le", *(exposed_label(label) for label in query.by)])
    return f"histogram_quantile({query.q!r}, sum by ({groups}) ({series.buckets(query.selector)}))"


def series_name(query: Query, *, known: Snapshot | None = None, native: bool = False) -> str:
    """What Prometheus calls a series of the metric that is asked for."""
    series = _Series(query, "", known, native, ())
    bare = Selector(query.selector.name)
    return series.named(bare, "_count" if series.is_classic(bare) else "")


class _Series(NamedTuple):
    """How selectors of a query read in PromQL."""

    query: Query
    over: str
    known: Snapshot | None
    native: bool
    also: tuple[str, ...]

    def named(self, selector: Selector, suffix: str = "") -> str:
        """The name and the matchers."""
        kind, unit = self._facts(selector)
        name = exposed_name(selector.name, kind, unit) + (suffix or ("_total" if kind == "counter" else ""))
        own = (_matcher(exposed_label(label), wanted) for label, wanted in selector.labels.items())
        held = ", ".join((*own, *self.also))
        return f"{name}{{{held}}}" if held else name

    def came(self, selector: Selector, function: str) -> str:
        """What came to counters, or how many values to histograms."""
        if self._facts(selector)[0] != "histogram":
            return f"{function}({self.named(selector)}[{self.over}])"
        if self.native:
            return f"histogram_count({function}({self.named(selector)}[{self.over}]))"
        return f"{function}({self.named(selector, '_count')}[{self.over}])"

    def came_native(self, selector: Selector) -> str:
        """What came to native histograms."""
        return f"rate({self.named(selector)}[{self.over}])"

    def buckets(self, selector: Selector) -> str:
        """What came to classic buckets."""
        return f"rate({self.named(selector, '_bucket')}[{self.over}])"

    def sum_and_count(self, selector: Selector) -> tuple[str, str]:
        """By how much the sum and the number of values grew."""
        if self.native:
            rate = self.came_native(selector)
            return f"histogram_sum({rate})", f"histogram_count({rate})"
        return f"rate({self.named(selector, '_sum')}[{self.over}])", self.came(selector, "rate")

    def is_classic(self, selector: Selector) -> bool:
        """Whether it is a histogram that Prometheus has as several series."""
        return self._facts(selector)[0] == "histogram" and not self.native

    def _facts(self, selector: Selector) -> tuple[Kind, str]:
        family = None if self.known is None else self.known.family(selector.name)
        if family is not None:
            return family.kind, family.unit
        return self.query.metric_kind, self.query.unit


def _matcher(label: str, wanted: Wanted) -> str:
    if isinstance(wanted, str):
        return f'{label}="{_quoted(wanted)}"'
    if isinstance(wanted, Matching):
        return f'{label}{"!~" if wanted.negate else "=~"}"{_quoted(wanted.pattern)}"'
    if callable(wanted):
        raise ConfigError(
            f"PromQL cannot know the function that selects label {label!r}, {wanted!r}; "
            "seawall.observe.Matching('5..') is one that it can"
        )
    return f'{label}=~"{_quoted("|".join(re.escape(value) for value in sorted(wanted)))}"'


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
