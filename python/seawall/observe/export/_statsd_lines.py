"""Metrics as lines of StatsD.

Source: the metric types of StatsD; the datagram format of DogStatsD 1.0 for tags.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Labels, Snapshot
from seawall.observe.export._text import number

_NOT_IN_NAME = re.compile(r"[\s:|@#]")
_NOT_IN_TAG = re.compile(r"[\r\n|,]")

Key = tuple[str, Labels]
Value = float | Distribution
Sent = dict[Key, Value]


class Lines(NamedTuple):
    """Lines that are sent together or not at all.

    Attributes:
        key: The series whose counts are told once these lines are sent; None where they tell no counts.
        value: What its counts then are.
        text: The lines.
    """

    key: Key | None
    value: Value | None
    text: bytes


class _Series(NamedTuple):
    key: Key
    name: str
    tags: str

    def line(self, suffix: str, value: float, kind: str) -> str:
        return f"{self.name}{suffix}:{number(value)}|{kind}{self.tags}"


def lines_since(
    snapshot: Snapshot, sent: Mapping[Key, Value], prefix: str, quantiles: Sequence[float]
) -> Iterator[Lines]:
    """What a server is to be told: of counters and histograms what came since `sent`, of gauges what they are."""
    for family in snapshot.families:
        name = _NOT_IN_NAME.sub("_", prefix + family.name)
        for sample in family.samples:
            key = (family.name, sample.labels)
            series = _Series(key, name, _tags(sample.labels))
            if isinstance(sample.value, Distribution):
                yield from _histogram(series, sample.value, sent.get(key), quantiles)
            elif math.isfinite(sample.value):
                yield from (_gauge if family.kind == "gauge" else _counter)(series, sample.value, sent.get(key))


def _gauge(series: _Series, value: float, _: Value | None) -> Iterator[Lines]:
    # A sign makes a gauge relative for most servers: from 0 it is the value again.
    zero = f"{series.line('', 0, 'g')}\n" if value < 0 else ""
    yield Lines(None, None, f"{zero}{series.line('', value, 'g')}".encode("utf-8", "replace"))


def _counter(series: _Series, value: float, before: Value | None) -> Iterator[Lines]:
    grown = value - before if isinstance(before, (int, float)) and value >= before else value
    if grown > 0:
        yield Lines(series.key, value, series.line("", grown, "c").encode("utf-8", "replace"))


def _histogram(
    series: _Series, value: Distribution, before: Value | None, quantiles: Sequence[float]
) -> Iterator[Lines]:
    came = _since(value, before)
    if not came.count:
        return
    for q in quantiles:
        yield Lines(None, None, series.line(f".p{q * 100:g}", came.quantile(q), "g").encode("utf-8", "replace"))
    text = f"{series.line('.count', came.count, 'c')}\n{series.line('.sum', came.sum, 'c')}"
    yield Lines(series.key, value, text.encode("utf-8", "replace"))


def _since(value: Distribution, before: Value | None) -> Distribution:
    same = isinstance(before, Distribution) and before.layout == value.layout
    return value - before if same else value  # type: ignore[operator]  # same says it is a Distribution


def _tags(labels: Labels) -> str:
    if not labels:
        return ""
    return "|#" + ",".join(f"{_NOT_IN_NAME.sub('_', name)}:{_NOT_IN_TAG.sub('_', value)}" for name, value in labels)
