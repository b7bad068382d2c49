"""Metrics as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from seawall.observe._distribution import Distribution, edges_of
from seawall.observe._snapshot import Sample, Snapshot
from seawall.observe.export._text import number

_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


def to_json(snapshot: Snapshot, *, indent: int | None = None) -> str:
    """A snapshot as JSON for other programs: docs/reference/metrics.schema.json.

    Histograms have quantiles and every bucket that holds anything. Numbers that JSON has not are the texts "NaN",
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
    edges = edges_of(held.layout)
    lows, highs = edges[held.places].tolist(), edges[held.places + 1].tolist()
    buckets = [list(bucket) for bucket in zip(lows, highs, held.counts.tolist(), strict=True)]
    quantiles = {str(q): held.quantile(q) for q in _QUANTILES} if held.count else {}
    return {"count": held.count, "sum": _plain(held.sum), "quantiles": quantiles, "buckets": buckets}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else number(value)
