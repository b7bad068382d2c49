"""From the table to a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall._core import metrics as _kernel
from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Family, Labels, Sample, Snapshot
from seawall.observe.metrics._definition import Definition

DROPPED = "seawall_metrics_dropped"
_DROPPED_HELP = "How often a series, an exemplar or a place for a worker was asked for that found no room."


def snapshot_of(table: _kernel.Table, at: float, constant: Mapping[str, str]) -> Snapshot:
    """Everything the table says."""
    families, dropped = [], []
    for (name, *told), overflowed, series in table.read():
        definition = Definition.of(tuple(told))
        families.append(_family(name, definition, series, constant))
        if overflowed:
            dropped.append(Sample(_sorted({**constant, "metric": name}), float(overflowed)))
    if table.dropped:
        dropped.append(Sample(_sorted({**constant, "metric": ""}), float(table.dropped)))
    if dropped:
        families.append(Family(DROPPED, "counter", tuple(dropped), _DROPPED_HELP))
    return Snapshot(at, tuple(sorted(families, key=lambda family: family.name)))


def _family(name: str, definition: Definition, series: list[Any], constant: Mapping[str, str]) -> Family:
    names = (*definition.labels, *constant)
    order = sorted(range(len(names)), key=names.__getitem__)
    more = tuple(constant.values())
    samples = []
    for values, number, exemplar in series:
        full = values + more
        labels = tuple([(names[i], full[i]) for i in order])
        value = number if type(number) is float else _distribution(definition.layout, *number)
        samples.append(Sample(labels, value, () if exemplar is None else (Exemplar(*exemplar),)))
    return Family(name, definition.kind, tuple(samples), definition.help, definition.unit)


def _distribution(layout: tuple[int, int, int], places: bytes, counts: bytes, total: float) -> Distribution:
    import numpy as np

    return Distribution(layout, np.frombuffer(places, np.int64), np.frombuffer(counts, np.uint64), total)


def _sorted(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))
