"""Metrics as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Sample, Snapshot
from seawall.observe.export._buckets import exponential
from seawall.observe.export._text import number

_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


def to_json(snapshot: Snapshot, *, indent: int | None = None) -> str:
    """A snapshot as JSON for other programs: docs/reference/metrics.schema.json.

    Histograms have quantiles and at most 160 buckets. Numbers that JSON has not are the texts "NaN",
    "+Inf" and "-Inf". `Snapshot.to_dict` is the form that can be read back.
    """
    families = [
        {
            "name": family.name,
            "kind": family.kind,
            "help": family.help,
            "unit": family.unit,
            "series": [_series(sample) for sample in family.samples],
        }
        for family in snapshot.families
    ]
    told = {"schema": 1, "at": snapshot.at, "families": families}
    return json.dumps(told, indent=indent, ensure_ascii=False, allow_nan=False)


def _series(sample: Sample) -> dict[str, Any]:
    told: dict[str, Any] = {"labels": dict(sample.labels)}
    told |= _held(sample.value) if isinstance(sample.value, Distribution) else {"value": _plain(sample.value)}
    if sample.exemplars:
        told["exemplars"] = [
            {"labels": dict(each.labels), "value": _plain(each.value), "at": each.at} for each in sample.exemplars
        ]
    return told


def _held(held: Distribution) -> dict[str, Any]:
    told = exponential(held, finest=8, coarsest=-10)
    base = 2**2.0**-told.scale
    buckets = [[0.0, told.zero_threshold, told.zero_count]] if told.zero_count else []
    buckets += ([base**i, base ** (i + 1), count] for i, count in zip(told.indices, told.counts, strict=True))
    quantiles = {str(q): held.quantile(q) for q in _QUANTILES} if held.count else {}
    return {"count": held.count, "sum": _plain(held.sum), "quantiles": quantiles, "buckets": buckets}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else number(value)
