"""How metrics and labels are called in the formats of Prometheus.

Source: the Prometheus data model; OpenMetrics 1.0, sections 4.2 and 5.1.
"""

from __future__ import annotations

import functools
import re

_NOT_IN_METRIC = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")


@functools.lru_cache(maxsize=4096)
def exposed_name(name: str, kind: str, unit: str) -> str:
    """The name of a family: what is no letter, digit, _ or : becomes _, and the unit ends it; without `_total`."""
    base = _started(_NOT_IN_METRIC.sub("_", name))
    if kind == "counter":
        base = base.removesuffix("_total")
    suffix = _NOT_IN_METRIC.sub("_", unit)
    return base if not suffix or base == suffix or base.endswith(f"_{suffix}") else f"{base}_{suffix}"


@functools.lru_cache(maxsize=4096)
def exposed_label(name: str) -> str:
    """The name of a label: what is no letter, digit or _ becomes _."""
    return _started(_NOT_IN_LABEL.sub("_", name))


def _started(name: str) -> str:
    return f"_{name}" if not name or name[0].isdigit() else name
